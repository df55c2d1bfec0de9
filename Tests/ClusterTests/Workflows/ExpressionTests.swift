import Formats
import Testing

@testable import Cluster

struct ExpressionTests {
    private let scope = WorkflowScope([
        [
            "inputs.parameters.n": "12", "steps.flip.outputs.result": "heads", "item.os": "debian",
            "inputs.parameters.evil": "x' || 'a' == 'a", "inputs.parameters.braces": "{{item.os}}",
            "inputs.parameters.whole": "1 < 2 && a == a",
        ]
    ])

    @Test(arguments: [
        ("{{steps.flip.outputs.result}} == heads", true), ("{{steps.flip.outputs.result}} == tails", false),
        ("{{inputs.parameters.n}} > 9 && {{inputs.parameters.n}} < 100", true),
        ("'12' == {{inputs.parameters.n}}", false),
        ("!({{item.os}} == debian) || false", false), ("{{item.os}} in (alpine, debian)", true),
        ("{{item.os}}-x == debian-x", true), ("{{steps.flip.outputs.result}} =~ hea", true),
        ("{{steps.flip.outputs.result}} !~ '^tai'", true), ("true", true), ("false", false),
        ("{{inputs.parameters.whole}}", true), ("a <= b", true), ("b >= c", false),
    ])
    func conditions(_ text: String, _ expected: Bool) throws {
        #expect(try WhenExpression.evaluate(text, scope) == expected)
    }

    /// A value brings no operators and no tags of its own.
    @Test func valuesAreData() throws {
        #expect(try !WhenExpression.evaluate("'{{inputs.parameters.evil}}' == y", scope))
        #expect(try !WhenExpression.evaluate("{{inputs.parameters.evil}} == y", scope))
        #expect(try TemplateText.substitute("<{{inputs.parameters.braces}}>", scope) == "<{{item.os}}>")
        #expect(
            try TemplateText.substitute(["a": "{{ item.os }}", "b": ["{{inputs.parameters.evil}}", 1]], scope)
                == ["a": "debian", "b": ["x' || 'a' == 'a", 1]])
    }

    @Test(arguments: ["a ==", "(a == a", "a b", "'open", "1 + 1", "a =~ '['", "!"])
    func wrongConditions(_ text: String) {
        #expect(throws: WorkflowFault.self) { try WhenExpression.evaluate(text, scope) }
    }

    @Test func unknownTags() throws {
        #expect(throws: WorkflowFault("failed to resolve {{steps.none}}")) {
            try TemplateText.substitute("{{steps.none}}", scope)
        }
        // Another template language's, or no tag at all.
        #expect(try TemplateText.substitute("{{ .Values.x }} {{open", scope) == "{{ .Values.x }} {{open")
        #expect(throws: WorkflowFault.self) { try TemplateText.substitute("{{=1+1}}", scope) }
    }

    @Test func depends() throws {
        let states: [String: DependsExpression.Condition] = ["A": .succeeded, "B": .failed, "C-1": .skipped]
        func holds(_ text: String) throws -> Bool {
            try DependsExpression(parsing: text).holds { states[$0] == $1 }
        }
        #expect(try holds("A"))
        #expect(try holds("A && C-1"))
        #expect(try !holds("A && B"))
        #expect(try holds("A.Succeeded && (B.Failed || B.Errored) && !C-1.Succeeded"))
        #expect(try DependsExpression(parsing: "A || (B && !A.Failed)").tasks == ["A", "B"])
        #expect(DependsExpression(all: []).holds { _, _ in false })
        for text in ["", "A &&", "A.Done", "(A", "A B", "&& A", String(repeating: "(", count: 100)] {
            #expect(throws: WorkflowFault.self) { try DependsExpression(parsing: text) }
        }
    }

    @Test func durations() throws {
        #expect(try WorkflowDuration.seconds("90") == 90)
        #expect(try WorkflowDuration.seconds("1h2m3.5s") == 3723.5)
        #expect(try WorkflowDuration.seconds("250ms") == 0.25)
        for text in ["", "x", "5y", "-1", "1h m"] {
            #expect(throws: WorkflowFault.self) { try WorkflowDuration.seconds(text) }
        }
    }

    /// Figures of Argo's own controller.
    @Test func identity() {
        #expect(NodeIdentity.id(workflow: "wf", name: "wf") == "wf")
        #expect(NodeIdentity.hash("") == 2_166_136_261)
        #expect(NodeIdentity.hash("a") == 0xe40c_292c)
        #expect(
            NodeIdentity.podName(workflow: "wf", template: "say", name: "wf[0].a")
                == "wf-say-\(NodeIdentity.hash("wf[0].a"))")
    }
}
