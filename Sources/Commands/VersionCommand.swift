import Bytes
import CVersion
import Formats
import Glibc
import MLflowAPI

extension Command {
    /// `slipway version`.
    static let version = Command(
        name: "version", summary: "version, commit, build date and linked libraries",
        settings: [OutputSettings.json.declaration, versionOf.declaration],
        examples: [("slipway version --json", "For a program to read")]
    ) { invocation in
        if invocation.settings[versionOf] == "mlflow" {
            Output.line("mlflow, version \(MLflowService.compatibleVersion)")
            return 0
        }
        let version = String(cString: slipway_version())
        let facts = [
            ("commit", String(cString: slipway_commit())), ("built", String(cString: slipway_build_date())),
        ]
        let libraries = LinkedLibraries.all
        if invocation.settings[OutputSettings.json] {
            var object: JSON = ["version": .string(version)]
            for (name, value) in facts { object[name] = .string(value) }
            var linked = JSONObject()
            for (name, value) in libraries { linked[name] = .string(value) }
            object["libraries"] = .object(linked)
            Output.line(String(utf8: object.indented))
            return 0
        }
        Output.line("slipway \(version)")
        var table = TextTable(["", ""])
        for (name, value) in facts + libraries { table.add(name, value) }
        Output.line(table.text)
        return 0
    }
}

private let versionOf = Setting<String>.choice(
    "of", placeholder: "PROGRAM", default: "slipway", of: ["slipway", "mlflow"],
    help: "mlflow prints the line of `mlflow --version`: the release of MLflow whose interface is served.")

enum OutputSettings {
    static let json = Setting<Bool>.toggle("json", help: "Print JSON instead of text.")
}
