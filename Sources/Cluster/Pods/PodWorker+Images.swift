// The images of a pod that no environment of the host stands for: found in a registry, pulled, and said so.

import Clock
import Formats
import Images
import OCI

extension PodWorker {
    /// The images that are not in the table, by the text that names them. Throws `PodFault`.
    func pulledImages(_ settings: PodSettings) async throws -> [String: PulledImage] {
        var pulled: [String: PulledImage] = [:]
        for (list, statuses) in [("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")] {
            for container in pod.spec[list]?.arrayValue ?? [] {
                let text = container["image"]?.stringValue ?? ""
                guard settings.images.environment(of: text) == nil, pulled[text] == nil else { continue }
                guard let image = try await pulledImage(text, container, statuses, settings) else { continue }
                pulled[text] = image
                note(image, text)
            }
        }
        return pulled
    }

    /// Says in the status which image is meant: what a pod's status names is in use, and is not removed for others.
    private func note(_ image: PulledImage, _ text: String) {
        guard let identifier = ImageReference(text).map({ image.identifier(of: $0) }) else { return }
        for index in status.initial.indices where status.initial[index].image == text {
            status.initial[index].imageID = identifier
        }
        for index in status.containers.indices where status.containers[index].image == text {
            status.containers[index].imageID = identifier
        }
    }

    /// Nil for a name without a registry where there is none to ask.
    private func pulledImage(
        _ text: String, _ container: JSON, _ statuses: String, _ settings: PodSettings
    ) async throws -> PulledImage? {
        let name = container["name"]?.stringValue ?? ""
        guard let named = ImageReference(text) else {
            throw PodFault.waiting(
                container: name, reason: "InvalidImageName",
                message: "image \"\(text)\" is not of the form [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST], in lower case")
        }
        // A registry is asked again when the time has come, not whenever something else has changed.
        if let pullFault, .now < pullFault.until { throw pullFault.fault }
        do {
            defer { pullFault = nil }
            return try await find(named, text, container, statuses)
        } catch let fault as PodFault {
            throw fault
        } catch {
            let known = error as? ImageError
            let hint =
                named.host == nil
                ? "; \(settings.images.refusal(of: text))"
                : known?.code == .unreachable ? ", or map the image in images.json in the cluster's data folder" : ""
            let reason = known?.message ?? "image \"\(text)\" cannot be pulled now: \(error)"
            let fault = PodFault.waiting(container: name, reason: "ImagePullBackOff", message: reason + hint)
            pullFault = (fault, .now.advanced(milliseconds: UInt64(pullPauseMilliseconds)))
            wakeup.set(afterMilliseconds: pullPauseMilliseconds + 1)
            pullPauseMilliseconds = min(pullPauseMilliseconds * 2, 60_000)
            throw fault
        }
    }

    private func find(
        _ named: ImageReference, _ text: String, _ container: JSON, _ statuses: String
    ) async throws -> PulledImage? {
        let name = container["name"]?.stringValue ?? ""
        // What a container was started with before the server restarted is what it goes on with.
        let status = (pod.status[statuses]?.arrayValue ?? []).first { $0["name"]?.stringValue == name }
        if let digest = status?["imageID"]?.stringValue.flatMap({ ImageReference($0) })?.digest,
            let image = try await context.images.image(digest)
        {
            return image
        }
        guard let reference = context.images.located(named) else { return nil }
        let policy = container["imagePullPolicy"]?.stringValue
        if policy != "Always", let image = try await context.images.image(named: reference) { return image }
        guard policy != "Never" else {
            throw PodFault.waiting(
                container: name, reason: "ErrImageNeverPull",
                message: "image \"\(text)\" is not on this machine, and imagePullPolicy is Never")
        }
        return try await pull(reference, text)
    }

    private func pull(_ reference: ImageReference, _ text: String) async throws -> PulledImage {
        if lastFault == nil { record("Pulling", "Pulling image \"\(text)\"") }
        // The images found so far are in use while this one is on its way.
        publishSoon()
        let began = WallTime.now
        let found = try await pullUnlessStopped(reference)
        let milliseconds = (WallTime.now.nanoseconds - began.nanoseconds) / 1_000_000
        record("Pulled", "Successfully pulled image \"\(text)\" in \(milliseconds)ms")
        pulledNow.insert(text)
        if !found.wasPresent { await context.images.prune(keeping: usedImages()) }
        return found.image
    }

    /// Throws `CancellationError` when the pod is stopped meanwhile.
    private func pullUnlessStopped(_ reference: ImageReference) async throws -> ImageStore.Found {
        let (results, continuation) = AsyncThrowingStream<ImageStore.Found, any Error>.makeStream()
        let (images, credentials) = (context.images, credentials())
        // Detached: a pod that is deleted does not wait for its image.
        Task.detached {
            do {
                continuation.yield(try await images.pull(reference, credentials: credentials))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        abandonPull = { continuation.finish() }
        defer { abandonPull = nil }
        for try await found in results { return found }
        throw CancellationError()
    }

    /// Says where a container's image comes from, unless pulling it has.
    func recordPresence(of plan: ContainerPlan) {
        if !plan.isPulled {
            record("Pulled", "Container image \"\(plan.image)\" stands for an environment of this host")
        } else if pulledNow.remove(plan.image) == nil {
            record("Pulled", "Container image \"\(plan.image)\" already present on machine")
        }
    }

    /// The log-ins that the pod and its service account name.
    private func credentials() -> [RegistryCredential] {
        let references = references
        let account = references.serviceAccount(pod.spec["serviceAccountName"]?.stringValue ?? "default")
        let named =
            (pod.spec["imagePullSecrets"]?.arrayValue ?? []) + (account?.json["imagePullSecrets"]?.arrayValue ?? [])
        return named.flatMap { entry -> [RegistryCredential] in
            guard let secret = references.secret(entry["name"]?.stringValue ?? ""),
                let bytes = secret.dataValue(".dockerconfigjson"), let json = try? JSON.parse(bytes)
            else { return [] }
            return RegistryCredential.list(dockerConfiguration: json)
        }
    }

    /// The images of pods that have not ended.
    private func usedImages() -> Set<Digest> {
        var used: Set<Digest> = []
        for pod in context.store.list(.pod).items {
            let phase = pod.status["phase"]?.stringValue ?? "Pending"
            guard phase != "Succeeded", phase != "Failed" else { continue }
            for list in ["initContainerStatuses", "containerStatuses"] {
                for status in pod.status[list]?.arrayValue ?? [] {
                    let text = status["imageID"]?.stringValue ?? ""
                    if let digest = ImageReference(text)?.digest { used.insert(digest) }
                }
            }
        }
        return used
    }
}
