import Clock
import Formats
import Testing

@testable import Commands

/// What the servers' answers become, which versions belong together, and how it is printed.
struct LineageTests {
    // MARK: Answers

    @Test func onlyReadyVersionsAreServed() throws {
        let index = try JSON.parse(
            Array(
                """
                [{"name":"mnist","version":"1","state":"UNAVAILABLE","reason":"unloaded"},
                 {"name":"mnist","version":"2","state":"READY"},{"name":"fashion"},{"version":"3","state":"READY"},
                 {"name":"torn","version":"1","state":"UNAVAILABLE","reason":"no model.onnx"}]
                """.utf8))
        #expect(
            ServedVersion.ready(index, url: "http://a") == [
                ServedVersion(model: "mnist", version: "2", url: "http://a")
            ])
        #expect(ServedVersion.reasonNotReady(index, model: "fashion") == "not loaded")
        #expect(ServedVersion.reasonNotReady(index, model: "torn") == "UNAVAILABLE: no model.onnx")
        #expect(ServedVersion.reasonNotReady(index, model: "other") == nil)
        #expect(ServedVersion.ready(["error": "x"], url: "").isEmpty)
    }

    @Test func aVersionTakesTheAliasesOfItsModel() throws {
        let model: JSON = [
            "aliases": [["alias": "champion", "version": "2"], ["alias": "best", "version": "2"], ["alias": "torn"]]
        ]
        let json: JSON = [
            "name": "mnist", "version": "2", "source": "s3://models/mnist", "run_id": "r", "creation_timestamp": 1000,
            "current_stage": "None", "tags": [["key": "slipway.served", "value": "digits/7"]],
        ]
        let version = try #require(RegistryVersion(json, aliases: RegistryVersion.aliases(model)))
        #expect(version.aliases == ["champion", "best"] && version.servedName == "digits/7" && version.runID == "r")
        #expect(version.created == WallTime(milliseconds: 1000))
        #expect(RegistryVersion(["name": "mnist"]) == nil)
        // Servers of MLflow write 64-bit numbers as texts here and there.
        #expect(RegistryVersion(["name": "m", "version": 3, "creation_timestamp": "5"])?.created?.milliseconds == 5)
    }

    @Test func aStepIsFoundByItsNameInTheWorkflow() throws {
        let workflow: JSON = [
            "status": [
                "phase": "Running",
                "nodes": [
                    "flow": ["name": "flow", "displayName": "flow", "phase": "Running"],
                    "flow-1": [
                        "name": "flow[0].train", "displayName": "train", "phase": "Succeeded",
                        "startedAt": "2026-01-02T03:04:05Z", "finishedAt": "2026-01-02T03:05:15Z",
                    ],
                ],
            ]
        ]
        func step(_ name: String) throws -> WorkflowStep {
            let tags = ["slipway.workflow": "ns/flow", "slipway.step": name]
            return WorkflowStep(origin: try #require(StepOrigin(tags: tags)), workflow: workflow)
        }
        #expect(try step("train").phase == "Succeeded" && step("train").workflowPhase == "Running")
        #expect(try step("flow[0].train").finished?.iso8601() == "2026-01-02T03:05:15Z")
        #expect(try step("export").phase.isEmpty)
        #expect(StepOrigin(tags: ["slipway.step": "train"]) == nil)
    }

    @Test func tagsNameOnlyPathsOfOneObject() {
        let group = "/api/v1"
        #expect(LineageSteps.path("job-ns/pod-1", group, "pods") == "/api/v1/namespaces/job-ns/pods/pod-1")
        #expect(LineageSteps.path("a b/c?d", group, "pods") == "/api/v1/namespaces/a%20b/pods/c%3Fd")
        for name in ["pod-1", "a/b/c", "/b", "a/", "../x", "a/..", ""] {
            #expect(LineageSteps.path(name, group, "pods") == nil, "\(name)")
        }
    }

    @Test func thePathBehindTheArtifactProxyIsFound() {
        #expect(LineageObjects.proxied("mlflow-artifacts:/1/run/artifacts") == "1/run/artifacts")
        #expect(LineageObjects.proxied("mlflow-artifacts://host:5000/1/run") == "1/run")
        #expect(LineageObjects.proxied("s3://mlflow/1") == nil && LineageObjects.proxied("/tmp/x") == nil)
    }

    // MARK: Which belong together

    private static func served(_ model: String, _ version: String) -> ServedVersion {
        ServedVersion(model: model, version: version)
    }

    private static func version(
        _ number: String, served: String? = nil, aliases: [String] = [], name: String = "m"
    ) -> RegistryVersion {
        var version = RegistryVersion(name: name, version: number)
        version.aliases = aliases
        version.tags = served.map { ["slipway.served": $0] } ?? [:]
        return version
    }

    @Test func aTagGoesBeforeAnEqualNumber() throws {
        let pairs = LineagePairing.pairs(
            model: "m", served: [Self.served("m", "1"), Self.served("other", "1")],
            versions: [Self.version("1"), Self.version("5", served: "m/1")])
        #expect(pairs.map { $0.version?.version } == ["5", "1"])
        #expect(pairs[0].link == "the tag slipway.served" && pairs[1].served == nil && pairs[1].link == nil)
    }

    @Test func anEqualNumberIsALinkUnlessATagSaysOtherwise() {
        let equal = LineagePairing.pairs(model: "m", served: [Self.served("m", "1")], versions: [Self.version("1")])
        #expect(equal.map(\.link) == ["the same name and number"])
        let other = LineagePairing.pairs(
            model: "m", served: [Self.served("m", "1")], versions: [Self.version("1", served: "n/9")])
        #expect(other.map(\.link) == [nil, nil] && other[0].version == nil)
        let elsewhere = LineagePairing.pairs(
            model: "digits", served: [Self.served("m", "9")],
            versions: [Self.version("1", served: "m/9", name: "digits")])
        #expect(elsewhere.map { $0.served?.name } == ["m/9"])
    }

    @Test func whatIsServedIsShownElseAnAliasElseTheNewest() {
        func shown(_ served: [ServedVersion], _ versions: [RegistryVersion], _ asked: String? = nil) -> [String?] {
            let pairs = LineagePairing.pairs(model: "m", served: served, versions: versions)
            return LineagePairing.shown(pairs, asked: asked).map { $0.version?.version }
        }
        let versions = [Self.version("9"), Self.version("10"), Self.version("2", aliases: ["champion"])]
        #expect(shown([Self.served("m", "9")], versions) == ["9"])
        #expect(shown([], versions) == ["2"])
        #expect(shown([], Array(versions.prefix(2))) == ["10"])
        #expect(shown([Self.served("m", "9")], versions, "10") == ["10"])
        #expect(shown([], versions, "77").isEmpty && shown([], []).isEmpty)
        #expect(shown((1...30).map { Self.served("m", "\($0)") }, []).count == LineagePairing.shownCountMax)
    }

    // MARK: Printing

    private static func whole() throws -> Lineage {
        var version = version("3", served: "m/3", aliases: ["champion"])
        version.source = "s3://models/m"
        version.created = WallTime(seconds: 1_700_000_000)
        var run = TrackedRun(id: "abc", name: "resnet\u{1b}[31m", status: "FINISHED", experiment: "digits")
        run.started = WallTime(milliseconds: 1_000)
        run.finished = WallTime(milliseconds: 69_400)
        run.metrics = [("accuracy", 0.98765432), ("steps", 391)]
        run.parameters = (1...10).map { ("p\($0)", "\($0)") }
        let tags = ["slipway.workflow": "ns/flow", "slipway.step": "train", "slipway.pod": "ns/flow-train-1"]
        var step = WorkflowStep(origin: try #require(StepOrigin(tags: tags)), phase: "Succeeded")
        step.image = "python:3"
        var listing = ObjectListing()
        for number in 1...25 { listing.add(.init(key: "m/3/\(number)", bytes: 1 << 20, etag: "e\(number)")) }
        return Lineage(
            model: "m",
            chains: [
                LineageChain(
                    served: .found(ServedVersion(model: "m", version: "3", url: "http://a:8000")),
                    link: "the tag slipway.served", version: .found(version),
                    maker: .absent("export of workflow ns/old: gone"),
                    run: .found(run), step: .found(step),
                    objects: [
                        ObjectGroup(role: .version, location: "s3://models/m/3/", listing: .found(listing)),
                        ObjectGroup(role: .run, location: "s3://lost", listing: .unknown("the store does not answer")),
                    ])
            ], versionCount: 4)
    }

    @Test func aPersonReadsARowForEachPart() throws {
        let lines = try Self.whole().text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            Array(lines.prefix(11)) == [
                "served   m version 3, ready at http://a:8000",
                "version  m 3, alias champion, registered 2023-11-14T22:13:20Z",
                "         source s3://models/m",
                "         linked to what is served by the tag slipway.served",
                "         registered by export of workflow ns/old: gone",
                "run      resnet?[31m (abc) of experiment digits, FINISHED in 68 s",
                "         metrics accuracy=0.987654, steps=391",
                "         parameters p1=1, p2=2, p3=3, p4=4, p5=5, p6=6, p7=7, p8=8, and 2 more",
                "step     train of workflow ns/flow, Succeeded",
                "         pod ns/flow-train-1, image python:3",
                "objects  s3://models/m/3/ (of the version): 25 objects, 25.0 MiB",
            ])
        #expect(lines[11] == "           m/3/1   1.0 MiB  e1")
        #expect(lines.contains("           and 5 more"))
        #expect(lines.contains("         s3://lost (of the run): the store does not answer"))
        #expect(lines.last == "1 of 4 versions are shown; --version N shows another")
    }

    @Test func aProgramReadsTheSame() throws {
        let json = try Self.whole().json
        let entry = try #require(json["versions"]?[0])
        #expect(json["model"] == "m" && json["version_count"] == 4)
        #expect(entry["served"]?["version"] == "3" && entry["served"]?["state"] == "found")
        #expect(entry["registry_version"]?["tags"]?["slipway.served"] == "m/3")
        #expect(entry["registered_by"] == ["state": "absent", "reason": "export of workflow ns/old: gone"])
        #expect(entry["run"]?["metrics"]?["accuracy"] == 0.98765432 && entry["run"]?["parameters"]?["p10"] == "10")
        #expect(entry["step"]?["pod"] == "ns/flow-train-1" && entry["step"]?["finished"] == .null)
        #expect(entry["objects"]?[0]?["count"] == 25 && entry["objects"]?[0]?["first"]?.arrayValue?.count == 20)
        #expect(entry["objects"]?[0]?["first"]?[0] == ["key": "m/3/1", "bytes": 1_048_576, "etag": "e1"])
        #expect(entry["objects"]?[1]?["state"] == "unknown" && entry["objects"]?[1]?["location"] == "s3://lost")
        #expect(try JSON.parse(json.indented) == json)
    }

    @Test func whatIsMissingSaysSo() {
        let lineage = Lineage(
            model: "m",
            chains: [LineageChain(served: .absent("nothing serves it"), version: .unknown("tracking is silent"))],
            versionCount: 1)
        #expect(lineage.text == "served   none: nothing serves it\nversion  not known: tracking is silent")
        #expect(lineage.json["versions"]?[0]?["run"] == .null)
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (44_691_915, "42.6 MiB"), (1 << 50, "1024.0 TiB"),
    ])
    func sizesAreShort(bytes: Int64, text: String) { #expect(LineageText.size(bytes) == text) }

    @Test func numbersAndTimesAreShort() {
        #expect(LineageText.number(0.1) == "0.1" && LineageText.number(3) == "3" && LineageText.number(0) == "0")
        #expect(LineageText.number(-1.2345678e-9) == "-1.234e-09" && LineageText.number(.nan) == "nan")
        #expect(LineageText.duration(WallTime(seconds: 2), WallTime(seconds: 1)) == nil)
        #expect(LineageText.duration(WallTime(seconds: 0), WallTime(milliseconds: 850)) == "850 ms")
        #expect(LineageText.duration(WallTime(seconds: 0), WallTime(seconds: 3600)) == "60 min")
    }
}
