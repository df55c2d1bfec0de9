/// How a pack is framed.
package enum PackType: String, Sendable, CaseIterable {
    /// A class `k8s_api_model` that loads a session and predicts with it.
    case tensorflow = "tf"
    /// A pickled estimator.
    case sklearn
}

/// Where the parts of a pack are, in a storage and in the local folder alike.
package struct PackLayout: Sendable, Equatable {
    package let name: String

    /// 1 to 255 letters, digits, `.`, `_`, `-`, not starting with a dot: the name becomes a path component, a key and a
    /// Python module path. Nil for anything else.
    package init?(name: String) {
        guard (1...255).contains(name.utf8.count), !name.hasPrefix(".") else { return nil }
        let isValid = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isValid else { return nil }
        self.name = name
    }

    package var sourceFolder: String { "\(name)/src" }
    package var modelFolder: String { "\(name)/model" }
    package var sourceFile: String { "\(name)/src/\(name).zip" }
    package func modelFile(_ date: PackDate) -> String { "\(name)/model/\(date.text).zip" }
}
