// From a step as written to the steps as they run: one for each item, with its condition decided and its arguments final.

import Bytes
import Formats

/// A step or task ready to run.
struct ExpandedStep: Sendable {
    var nodeName: String
    var displayName: String
    var templateName: String
    var template: JSON?
    var arguments: JSON = [:]
    /// Set when its condition does not hold.
    var skipReason: String?
    /// Set when its arguments cannot be resolved.
    var fault: String?
    var continuesOnFailed = false
    var continuesOnError = false

    func continues(after phase: WorkflowNode.Phase) -> Bool {
        phase == .failed ? continuesOnFailed : phase == .error ? continuesOnError : true
    }

    /// The step's own name in the name of one of its items, `print(0:a)`.
    static func baseName(_ displayName: String) -> String {
        String(displayName.prefix { $0 != "(" })
    }
}

extension WorkflowRun {
    /// Items of one loop.
    static let itemCountMax = 20_000

    func expand(
        _ steps: [JSON], prefix: String, _ boundary: String, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> [ExpandedStep] {
        var expanded: [ExpandedStep] = []
        for step in steps {
            let name = step["name"]?.stringValue ?? ""
            guard let items = try items(of: step, scope) else {
                expanded.append(try resolve(step, name: name, prefix: prefix, scope))
                continue
            }
            for (index, item) in items.enumerated() {
                let inner = scope.adding(Self.values(of: item))
                expanded.append(
                    try resolve(step, name: "\(name)(\(index):\(Self.nameText(item)))", prefix: prefix, inner))
            }
        }
        return expanded
    }

    private func resolve(
        _ step: JSON, name: String, prefix: String, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> ExpandedStep {
        var expanded = ExpandedStep(
            nodeName: "\(prefix).\(name)", displayName: name,
            templateName: step["template"]?.stringValue ?? "", template: step["inline"])
        expanded.continuesOnFailed = step["continueOn"]?["failed"]?.boolValue ?? false
        expanded.continuesOnError = step["continueOn"]?["error"]?.boolValue ?? false
        do throws(WorkflowFault) {
            expanded.templateName = try TemplateText.substitute(expanded.templateName, scope)
            if let when = step["when"]?.stringValue, !when.isEmpty {
                guard try WhenExpression.evaluate(when, scope) else {
                    let shown = (try? TemplateText.substitute(when, scope)) ?? when
                    expanded.skipReason = "when '\(shown)' evaluated false"
                    return expanded
                }
            }
            expanded.arguments = try arguments(step["arguments"] ?? [:], scope)
        } catch {
            expanded.fault = error.description
        }
        return expanded
    }

    private func arguments(_ arguments: JSON, _ scope: WorkflowScope) throws(WorkflowFault) -> JSON {
        var parameters: [JSON] = []
        for parameter in arguments["parameters"]?.arrayValue ?? [] {
            let name = parameter["name"]?.stringValue ?? ""
            if let value = parameter["value"] {
                // The output of a step that did not run: the template's own default stands, if it has one.
                if isOutputOfSkipped(TemplateText.text(value), scope) { continue }
                parameters.append([
                    "name": .string(name),
                    "value": .string(try TemplateText.substitute(TemplateText.text(value), scope)),
                ])
            } else if let found = try configMapParameter(try TemplateText.substitute(parameter, scope)) {
                parameters.append(["name": .string(name), "value": .string(found)])
            } else if parameter["valueFrom"] != nil {
                throw WorkflowFault(
                    "arguments.parameters.\(name): only value and valueFrom.configMapKeyRef are supported here")
            }
        }
        var artifacts: [JSON] = []
        for artifact in arguments["artifacts"]?.arrayValue ?? [] {
            let name = artifact["name"] ?? ""
            if let from = artifact["from"]?.stringValue {
                guard let text = scope[TemplateText.name(from)], let found = try? JSON.parse(Array(text.utf8)) else {
                    if artifact["optional"]?.boolValue == true { continue }
                    throw WorkflowFault("failed to resolve \(from): the artifact was not produced")
                }
                var copy: JSON = ["name": name]
                copy["raw"] = found["raw"]
                copy["s3"] = found["s3"]
                if let subPath = artifact["subPath"]?.stringValue, !subPath.isEmpty {
                    throw WorkflowFault("arguments.artifacts.\(TemplateText.text(name)): subPath is not supported here")
                }
                artifacts.append(copy)
            } else if let raw = artifact["raw"] {
                artifacts.append(["name": name, "raw": try TemplateText.substitute(raw, scope)])
            } else {
                let store = artifact.objectValue?.keys.first { $0 != "name" } ?? "nothing"
                throw WorkflowFault(
                    "arguments.artifacts.\(TemplateText.text(name)): \(store) is not supported here; use from or raw")
            }
        }
        var out = JSONObject()
        if !parameters.isEmpty { out["parameters"] = .array(parameters) }
        if !artifacts.isEmpty { out["artifacts"] = .array(artifacts) }
        return .object(out)
    }

    /// Whether `text` is one tag that names an output of a step or task that was skipped or omitted.
    private func isOutputOfSkipped(_ text: String, _ scope: WorkflowScope) -> Bool {
        let parts = TemplateText.parts(text)
        guard parts.count == 1, case .tag(let tag) = parts[0] else { return false }
        let name = TemplateText.name(tag)
        let words = name.pieces(by: ".", maxSplits: 2)
        guard words.count == 3, words[0] == "steps" || words[0] == "tasks", words[2].hasPrefix("outputs."),
            scope[name] == nil
        else { return false }
        let status = scope["\(words[0]).\(words[1]).status"]
        return status == "Skipped" || status == "Omitted"
    }

    // MARK: Items

    /// The items of a loop; nil when the step is none.
    private func items(of step: JSON, _ scope: WorkflowScope) throws(WorkflowFault) -> [JSON]? {
        let items: [JSON]
        if let list = step["withItems"]?.arrayValue {
            items = try TemplateText.substitute(.array(list), scope).arrayValue ?? []
        } else if let parameter = step["withParam"]?.stringValue {
            let text = try TemplateText.substitute(parameter, scope)
            guard let value = try? JSON.parse(Array(text.utf8)), let list = value.arrayValue else {
                throw WorkflowFault("withParam value could not be parsed as a JSON list: \(text.prefix(200))")
            }
            items = list
        } else if let sequence = step["withSequence"] {
            items = try Self.sequence(try TemplateText.substitute(sequence, scope))
        } else {
            return nil
        }
        guard items.count <= Self.itemCountMax else {
            throw WorkflowFault("a loop has \(items.count) items; the most is \(Self.itemCountMax)")
        }
        return items
    }

    private static func sequence(_ sequence: JSON) throws(WorkflowFault) -> [JSON] {
        func number(_ key: String) throws(WorkflowFault) -> Int? {
            guard let value = sequence[key] else { return nil }
            guard let number = Int(TemplateText.text(value)) else {
                throw WorkflowFault("withSequence.\(key) \"\(TemplateText.text(value))\" is not a number")
            }
            return number
        }
        let start = try number("start") ?? 0
        let numbers: [Int]
        if let count = try number("count") {
            guard count <= itemCountMax else {
                throw WorkflowFault("withSequence.count \(count) is more than \(itemCountMax)")
            }
            numbers = count > 0 ? Array(start..<start + count) : []
        } else if let end = try number("end") {
            guard start.subtractingReportingOverflow(end).overflow == false, abs(start - end) < itemCountMax else {
                throw WorkflowFault("withSequence from \(start) to \(end) is longer than \(itemCountMax)")
            }
            numbers = start <= end ? Array(start...end) : Array((end...start).reversed())
        } else {
            throw WorkflowFault("withSequence needs count or end")
        }
        let format = sequence["format"]?.stringValue ?? ""
        return try numbers.map { number throws(WorkflowFault) in .string(try formatted(number, format)) }
    }

    /// A number through one `%d`, `%x`, `%X` or `%o` with flags and width, as `testuser%02d`.
    private static func formatted(_ number: Int, _ format: String) throws(WorkflowFault) -> String {
        guard !format.isEmpty else { return String(number) }
        var out = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                out.append(character)
                continue
            }
            if rest.first == "%" {
                rest.removeFirst()
                out.append("%")
                continue
            }
            let flags = rest.prefix { $0 == "0" || $0 == "-" || $0 == "+" }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(width.count)
            let radixes: [Character: Int] = ["d": 10, "x": 16, "X": 16, "o": 8, "v": 10]
            guard let verb = rest.popFirst(), let radix = radixes[verb], let columns = Int(width.isEmpty ? "0" : width),
                columns <= 64
            else { throw WorkflowFault("withSequence.format \"\(format)\" is not supported; use %d, %x, %X or %o") }
            var digits = String(abs(number), radix: radix, uppercase: verb == "X")
            let sign = number < 0 ? "-" : flags.contains("+") ? "+" : ""
            let missing = max(0, columns - digits.count - sign.count)
            if flags.contains("0"), !flags.contains("-") {
                digits = sign + String(repeating: "0", count: missing) + digits
            } else if flags.contains("-") {
                digits = sign + digits + String(repeating: " ", count: missing)
            } else {
                digits = String(repeating: " ", count: missing) + sign + digits
            }
            out += digits
        }
        return out
    }

    private static func values(of item: JSON) -> [String: String] {
        var values = ["item": TemplateText.text(item)]
        for (key, value) in item.objectValue ?? JSONObject() { values["item.\(key)"] = TemplateText.text(value) }
        return values
    }

    private static func nameText(_ item: JSON) -> String {
        guard let members = item.objectValue else { return TemplateText.text(item) }
        return members.keys.sorted().map { "\($0):\(TemplateText.text(members[$0] ?? .null))" }.joined(separator: ",")
    }
}
