import Bytes
import Formats
import Testing

@testable import Cluster

struct WorkflowFuzzTests {
    private let scope = WorkflowScope([["item": "a' || {{item}} == \"", "inputs.parameters.n": "3"]])

    @Test func templateTextsKeepTheirBytes() throws {
        try Fuzzing.run(
            "TemplateText", samples: ["a {{item}} b", "{{ inputs.parameters.n }}{{x}}", "{{=1}}", "{{{{item}}}}"]
        ) { input, _ in
            let text = String(utf8: input)
            let joined = TemplateText.parts(text).map { part in
                switch part {
                case .literal(let text), .tag(let text): text
                }
            }.joined()
            #expect(Array(joined.utf8) == Array(text.utf8))
            _ = try? TemplateText.substitute(text, scope)
        }
    }

    @Test func conditionsNeverCrash() throws {
        let samples = [
            "{{item}} == heads && !({{inputs.parameters.n}} > 2)", "a in (b, 'c d') || true", "x =~ '^a.*' && y !~ b",
            "((((1))))",
        ]
        try Fuzzing.run("WhenExpression", samples: samples) { input, _ in
            _ = try? WhenExpression.evaluate(String(utf8: input), scope)
        }
    }

    @Test func dependsNeverCrash() throws {
        try Fuzzing.run("DependsExpression", samples: ["(A.Succeeded || B.Failed) && !C", "A && B.AllFailed"]) {
            input, _ in
            guard let expression = try? DependsExpression(parsing: String(utf8: input)) else { return }
            _ = expression.tasks
            _ = expression.holds { _, _ in true }
        }
    }

    @Test func durationsNeverCrash() throws {
        try Fuzzing.run("WorkflowDuration", samples: ["1h2m3s", "30", "250ms", "1e9"]) { input, _ in
            _ = try? WorkflowDuration.seconds(String(utf8: input))
        }
    }
}
