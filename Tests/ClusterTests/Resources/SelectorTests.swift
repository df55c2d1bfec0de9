import Formats
import Testing

@testable import Cluster

@Suite struct SelectorTests {
    @Test(arguments: [
        ("", true), ("app=web", true), ("app==web", true), ("app!=web", false), ("app in (web, db)", true),
        ("app notin (web)", false), ("tier", false), ("!tier", true), ("tier!=x", true), ("tier notin (x)", true),
        ("app=web,!tier", true), ("app=web,tier", false), ("example.com/x=1", true), (" app = web ", true),
        ("empty=", true),
    ])
    func labels(_ text: String, _ matches: Bool) throws {
        let selector = try LabelSelector(parsing: text)
        #expect(selector.matches(["app": "web", "example.com/x": "1", "empty": ""]) == matches)
    }

    @Test(arguments: ["a in b", "a in (b", "a b", "=x", "a=b,,c", "a=b,", "!", "a in", "a=\u{e9}", "-a=b", "a=(", "a!"])
    func malformedLabels(_ text: String) {
        #expect(throws: ClusterError.self) { try LabelSelector(parsing: text) }
    }

    @Test func fields() throws {
        let pod: JSON = ["metadata": ["name": "a", "namespace": "n"], "status": ["phase": "Running"]]
        for (text, matches) in [
            ("metadata.name=a", true), ("metadata.name==a,status.phase!=Failed", true), ("status.phase=Failed", false),
            ("spec.nodeName=", true), ("metadata.namespace!=n", false), ("", true),
        ] {
            #expect(try FieldSelector(parsing: text, for: .pod).matches(pod) == matches, "\(text)")
        }
        #expect(throws: ClusterError.self) { try FieldSelector(parsing: "spec.color=red", for: .pod) }
        #expect(throws: ClusterError.self) { try FieldSelector(parsing: "metadata.name", for: .pod) }
    }

    @Test(arguments: [
        ("1", 1000), ("500m", 500), ("1Ki", 1_024_000), ("1k", 1_000_000), ("1e3", 1_000_000), ("1.5", 1500), ("0", 0),
        ("1Gi", 1_073_741_824_000), ("-1", -1000), ("2E", Int64.max),
    ])
    func quantities(_ text: String, _ thousandths: Int64) {
        #expect(Quantity(text)?.thousandths == thousandths)
    }

    @Test(arguments: ["", "much", "1 Gi", "1GiB", "1.2.3", "Gi", ".", "1e99", "--1"])
    func malformedQuantities(_ text: String) { #expect(Quantity(text) == nil) }

    @Test(arguments: [
        ("a", true), ("a-b.c", true), ("A", false), ("-a", false), ("a-", false), ("a..b", false), ("", false),
        ("a_b", false),
    ])
    func names(_ name: String, _ isValid: Bool) { #expect((ObjectNames.subdomainFault(name) == nil) == isValid) }
}
