import Bytes
import Clock

extension Lineage {
    /// What a person reads: one block a version, a row a part, continued below it.
    var text: String {
        var blocks = chains.map { $0.text }
        if versionCount > chains.count {
            blocks.append(
                "\(chains.count) of \(versionCount) versions are shown; --version N shows another")
        }
        return blocks.joined(separator: "\n\n")
    }
}

extension LineageChain {
    fileprivate var text: String {
        var table = TextTable(["", ""])
        func row(_ name: String, _ lines: [String]) {
            for (index, line) in lines.enumerated() { table.add(index == 0 ? name : "", Self.printable(line)) }
        }
        row("served", served.lines { ["\($0.model) version \($0.version), ready at \($0.url)"] })
        row("version", version.lines(versionLines))
        if let run { row("run", run.lines(\.lines)) }
        if let step { row("step", step.lines(\.lines)) }
        for (index, group) in objects.enumerated() { row(index == 0 ? "objects" : "", group.lines) }
        return table.text
    }

    private func versionLines(_ version: RegistryVersion) -> [String] {
        var first = "\(version.name) \(version.version)"
        if !version.aliases.isEmpty { first += ", alias \(version.aliases.joined(separator: ", "))" }
        if !version.stage.isEmpty, version.stage != "None" { first += ", stage \(version.stage)" }
        if let created = version.created { first += ", registered \(created.iso8601())" }
        var lines = [first, "source \(version.source.isEmpty ? "not given" : version.source)"]
        if let link { lines.append("linked to what is served by \(link)") }
        switch maker {
        case .found(let step): lines.append("registered by step \(LineageSteps.words(step.origin))")
        case .absent(let reason), .unknown(let reason): lines.append("registered by \(reason)")
        case nil: break
        }
        return lines
    }

    /// Names come from whoever wrote them: nothing of theirs moves the cursor or changes a colour.
    private static func printable(_ line: String) -> String {
        let shown = line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }
        return String(String.UnicodeScalarView(shown))
    }
}

extension Part {
    fileprivate func lines(_ lines: (Value) -> [String]) -> [String] {
        switch self {
        case .found(let value): lines(value)
        case .absent(let reason): ["none: \(reason)"]
        case .unknown(let reason): ["not known: \(reason)"]
        }
    }
}

extension TrackedRun {
    private static let pairCountMax = 8

    fileprivate var lines: [String] {
        var first = name.isEmpty ? id : "\(name) (\(id))"
        if !experiment.isEmpty { first += " of experiment \(experiment)" }
        first += ", \(status)"
        if let duration = LineageText.duration(started, finished) { first += " in \(duration)" }
        if isDeleted { first += ", deleted" }
        var lines = [first]
        func add(_ title: String, _ pairs: [String]) {
            guard !pairs.isEmpty else { return }
            let more = pairs.count > Self.pairCountMax ? ", and \(pairs.count - Self.pairCountMax) more" : ""
            lines.append("\(title) \(pairs.prefix(Self.pairCountMax).joined(separator: ", "))\(more)")
        }
        add("metrics", metrics.map { "\($0.key)=\(LineageText.number($0.value))" })
        add("parameters", parameters.map { "\($0.key)=\($0.value.prefix(60))" })
        add("data", dataSets)
        return lines
    }
}

extension WorkflowStep {
    fileprivate var lines: [String] {
        var first = LineageSteps.words(origin)
        first += ", \(phase.isEmpty ? "which the workflow does not name" : phase)"
        if let duration = LineageText.duration(started, finished) { first += " in \(duration)" }
        var lines = [first]
        if origin.workflow != nil, let pod = origin.pod {
            lines.append("pod \(pod)\(image.isEmpty ? "" : ", image \(image)")")
        } else if !image.isEmpty {
            lines.append("image \(image)")
        }
        return lines
    }
}

extension ObjectGroup {
    fileprivate var lines: [String] {
        let owner =
            switch role {
            case .version: "of the version"
            case .run: "of the run"
            case .artifacts: "artifacts of the run"
            }
        guard let listing = listing.value else { return ["\(location) (\(owner)): \(self.listing.reason ?? "")"] }
        let count = "\(listing.isComplete ? "" : "over ")\(listing.count) \(listing.count == 1 ? "object" : "objects")"
        var table = TextTable(["", "", ""])
        for entry in listing.kept { table.add("  \(entry.key)", LineageText.size(entry.bytes), entry.etag ?? "") }
        var lines = ["\(location) (\(owner)): \(count), \(LineageText.size(listing.bytes))"] + table.lines
        if listing.count > listing.kept.count { lines.append("  and \(listing.count - listing.kept.count) more") }
        return lines
    }
}

/// Numbers as the rows show them.
enum LineageText {
    /// `512 B`, `42.6 MiB`.
    static func size(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }

    /// At most six digits after the point, or three of very small and large numbers.
    static func number(_ value: Double) -> String {
        guard value == 0 || (1e-3..<1e9).contains(value.magnitude) else {
            let parts = "\(value)".pieces(by: "e")
            return parts.count == 2 ? "\(parts[0].prefix(value < 0 ? 6 : 5))e\(parts[1])" : "\(value)"
        }
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// `850 ms`, `70 s`, `5 min`; nil without both ends.
    static func duration(_ started: WallTime?, _ finished: WallTime?) -> String? {
        guard let started, let finished, finished >= started else { return nil }
        let milliseconds = finished.milliseconds - started.milliseconds
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if milliseconds < 600_000 { return "\((milliseconds + 500) / 1000) s" }
        return "\((milliseconds + 30_000) / 60_000) min"
    }
}
