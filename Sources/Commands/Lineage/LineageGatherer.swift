// Asks the servers, one after the other, by the protocols that everybody else uses: V2's repository index, MLflow's REST
// API, Kubernetes' REST API, S3 listings. Whatever cannot be had is named in its place and stops nothing else.

import Bytes
import Formats
import HTTP

/// Gathers the lineage of one model.
struct LineageGatherer {
    private static let knownCountMax = 20
    private static let versionCountMax = 100

    let model: String
    /// Nil shows what is served.
    let askedVersion: String?
    let infer: LineagePeer
    let track: LineagePeer
    let objects: LineageObjects
    let steps: LineageSteps

    /// Throws `CommandFailure` when neither the inference server nor the registry knows the model or its version.
    func gather() async throws -> Lineage {
        let index = await infer.ask("/v2/repository/index", method: .post)
        let served = index.flatMap { .found(ServedVersion.ready($0, url: infer.url)) }
        let registered = await registered(served: served.value ?? [])
        let versions = registered.value ?? []
        let pairs = LineagePairing.pairs(model: model, served: served.value ?? [], versions: versions)
        let reason = index.value.flatMap { ServedVersion.reasonNotReady($0, model: model) }
        let shown = LineagePairing.shown(pairs, asked: askedVersion)
        if shown.isEmpty, reason == nil || askedVersion != nil {
            throw await unknown(pairs, index: index, registered: registered)
        }
        let notServed = index.flatMap { _ in .absent(notServedText(reason)) } as Part<ServedVersion>
        let notRegistered =
            registered.flatMap { _ in
                .absent("no version of \(model) is registered at \(track.url) for what is served")
            } as Part<RegistryVersion>
        var chains: [LineageChain] = []
        for pair in shown.isEmpty ? [LineagePairing.Pair()] : shown {
            let version = pair.version.map { Part.found($0) } ?? notRegistered
            var chain = LineageChain(
                served: pair.served.map { .found($0) } ?? notServed, link: pair.link, version: version)
            if let version = pair.version { await add(version, to: &chain) }
            chains.append(chain)
        }
        return Lineage(model: model, chains: chains, versionCount: max(pairs.count, 1))
    }

    private func notServedText(_ reason: String?) -> String {
        reason.map { "the inference server at \(infer.url) has \(model) in its repository, \($0)" }
            ?? "nothing that the inference server at \(infer.url) serves is linked to it"
    }

    private func add(_ version: RegistryVersion, to chain: inout LineageChain) async {
        chain.maker = await step(version.tags)
        chain.objects = await objects.groups(of: version)
        guard !version.runID.isEmpty else {
            chain.run = .absent("version \(version.version) was registered without a run; pass run_id when registering")
            return
        }
        let run = await run(version.runID)
        chain.run = run
        guard let run = run.value else { return }
        chain.step =
            await step(run.tags)
            ?? .absent("no tag of the run names a workflow: steps here set \(LineageTags.workflow) by themselves")
        chain.objects += await objects.groups(of: run)
    }

    private func step(_ tags: [String: String]) async -> Part<WorkflowStep>? {
        guard let origin = StepOrigin(tags: tags) else { return nil }
        return await steps.step(origin)
    }

    // MARK: Registry and runs

    /// The registry's versions under the model's name, and those of another name that are served under this one.
    private func registered(served: [ServedVersion]) async -> Part<[RegistryVersion]> {
        let own = served.filter { $0.model == model }
        let found = await track.ask("/api/2.0/mlflow/registered-models/get", query: [("name", model)])
        if case .unknown(let reason) = found { return .unknown(reason) }
        let aliases = found.value?["registered_model"].map(RegistryVersion.aliases) ?? [:]
        var versions: [RegistryVersion] = []
        if found.value != nil {
            let quote = model.contains("'") ? "\"" : "'"
            versions = await search("name = \(quote)\(model)\(quote)", aliases)
        }
        // What lies behind the newest hundred is asked for by its number.
        for number in own.map(\.version) + (askedVersion.map { [$0] } ?? [])
        where found.value != nil && !versions.contains(where: { $0.version == number }) {
            let query = [("name", model), ("version", number)]
            let answer = await track.ask("/api/2.0/mlflow/model-versions/get", query: query)
            let version = answer.value?["model_version"].flatMap { RegistryVersion($0, aliases: aliases) }
            if let version { versions.append(version) }
        }
        for one in own.prefix(LineagePairing.shownCountMax)
        where !one.name.contains("'") && !versions.contains(where: { $0.servedName == one.name }) {
            versions += await search("tags.`\(LineageTags.served)` = '\(one.name)'", [:])
        }
        if case .absent = found, versions.isEmpty { return .absent("no model \(model) is registered at \(track.url)") }
        return .found(versions)
    }

    private func search(_ filter: String, _ aliases: [String: [String]]) async -> [RegistryVersion] {
        let answer = await track.ask(
            "/api/2.0/mlflow/model-versions/search",
            query: [
                ("filter", filter), ("max_results", "\(Self.versionCountMax)"), ("order_by", "version_number DESC"),
            ])
        let found = answer.value?["model_versions"]?.arrayValue ?? []
        return found.compactMap { RegistryVersion($0, aliases: aliases) }
    }

    private func run(_ id: String) async -> Part<TrackedRun> {
        let answer = await track.ask("/api/2.0/mlflow/runs/get", query: [("run_id", id)])
        if case .absent = answer { return .absent("the tracking server at \(track.url) no longer has run \(id)") }
        guard var run = answer.value?["run"].flatMap(TrackedRun.init) else {
            return answer.flatMap { _ in .unknown("the tracking server at \(track.url) says nothing of run \(id)") }
        }
        let experiment = await track.ask(
            "/api/2.0/mlflow/experiments/get", query: [("experiment_id", run.experimentID)])
        run.experiment = experiment.value?["experiment"]?["name"]?.stringValue ?? ""
        return .found(run)
    }

    // MARK: Unknown models

    private func unknown(
        _ pairs: [LineagePairing.Pair], index: Part<JSON>, registered: Part<[RegistryVersion]>
    ) async -> CommandFailure {
        if let askedVersion, !pairs.isEmpty {
            let known = pairs.compactMap { $0.version?.version ?? $0.served?.version }.prefix(Self.knownCountMax)
            return CommandFailure(
                "no version \(askedVersion) of \(model) is served or registered",
                hint: "Known: \(known.joined(separator: ", ")).")
        }
        let silent = [index.unknownReason, registered.unknownReason].compactMap { $0 }
        guard silent.count < 2 else {
            return CommandFailure("nobody can say what \(model) is", hint: silent.joined(separator: "\n"))
        }
        let models = await track.ask("/api/2.0/mlflow/registered-models/search", query: [("max_results", "100")])
        let names =
            (models.value?["registered_models"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            + (index.value?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        let known = Set(names).sorted()
        var hints = silent
        if let nearest = Suggestion.nearest(to: model, in: known) { hints.append("Did you mean \(nearest)?") }
        let more = known.count > Self.knownCountMax ? " and \(known.count - Self.knownCountMax) more" : ""
        hints.append(
            known.isEmpty
                ? "No model is known yet."
                : "Known: \(known.prefix(Self.knownCountMax).joined(separator: ", "))\(more).")
        return CommandFailure(
            silent.isEmpty
                ? "no model \(model) is served at \(infer.url) or registered at \(track.url)"
                : "no server that answers knows a model \(model)",
            hint: hints.joined(separator: "\n"))
    }
}

extension Part {
    /// The reason when nobody could say.
    fileprivate var unknownReason: String? { if case .unknown(let reason) = self { reason } else { nil } }
}
