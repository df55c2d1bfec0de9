import Formats
import Testing

@testable import Cluster

struct VolumeMatchTests {
    private func volume(_ change: (inout JSON) -> Void = { _ in }) -> Resource {
        var json: JSON = [
            "metadata": ["name": "v"], "status": ["phase": "Available"],
            "spec": [
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "capacity": ["storage": "2Gi"],
                "hostPath": ["path": "/srv"],
            ],
        ]
        change(&json)
        return Resource(key: ResourceKey(.persistentVolume, name: "v"), json: json, version: 1)
    }

    private func claim(_ change: (inout JSON) -> Void = { _ in }) -> Resource {
        var json: JSON = [
            "metadata": ["name": "c", "uid": "one"],
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
        ]
        change(&json)
        return Resource(key: key("c", .persistentVolumeClaim), json: json, version: 1)
    }

    @Test func whatFits() {
        #expect(VolumeMatch.fault(of: volume(), for: claim()) == nil)
        let reserved = volume { $0[path: "spec", "claimRef"] = ["namespace": "default", "name": "c"] }
        #expect(VolumeMatch.fault(of: reserved, for: claim()) == nil)
        let ofClass = volume { $0[path: "spec", "storageClassName"] = "manual" }
        #expect(VolumeMatch.fault(of: ofClass, for: claim { $0[path: "spec", "storageClassName"] = "manual" }) == nil)
    }

    @Test(
        arguments: [
            ("claimRef", ["namespace": "default", "name": "other"], "different claim"),
            ("claimRef", ["namespace": "default", "name": "c", "uid": "two"], "different claim"),
            ("capacity", ["storage": "512Mi"], "too small"), ("accessModes", ["ReadOnlyMany"], "accessMode"),
        ] as [(String, JSON, String)])
    func whatDoesNot(_ field: String, _ value: JSON, _ reason: String) {
        let fault = VolumeMatch.fault(of: volume { $0[path: "spec", field] = value }, for: claim())
        #expect(fault?.contains(reason) == true, "\(fault ?? "nil")")
    }

    @Test func classesAndPhases() {
        let manual = claim { $0[path: "spec", "storageClassName"] = "manual" }
        #expect(VolumeMatch.fault(of: volume(), for: manual) == "storageClassName does not match")
        for phase in ["Pending", "Failed"] {
            let early = volume { $0[path: "status", "phase"] = .string(phase) }
            #expect(VolumeMatch.fault(of: early, for: claim()) != nil)
        }
    }

    @Test(arguments: ["/srv/../etc", "/srv/../\u{301}etc", "/srv/..", "/srvother", "/etc", "/"])
    func foldersOutsideAreNotAllowed(_ path: String) {
        #expect(!PodVolumes.isAllowed(path, ["/srv"]))
        #expect(PodVolumes.isAllowed("/srv/in", ["/srv"]) && PodVolumes.isAllowed("/srv", ["/srv"]))
    }
}
