import Bytes
import HTTP

/// The form that a client wants objects in, from its `Accept` field.
enum Presentation: Equatable {
    case objects
    /// Rows of cells; the value is the version of `meta.k8s.io`.
    case table(version: String)
    /// Objects reduced to their metadata.
    case metadata(version: String)

    init(_ request: Request) {
        self.init(accept: request.fields.values("Accept").joined(separator: ","))
    }

    /// The first form listed that is known; objects as JSON when none is.
    init(accept: String) {
        self = .objects
        for range in accept.pieces(by: ",") {
            let parts = range.pieces(by: ";").map { String($0.filter { $0 != " " }) }
            guard parts.first == "application/json" else { continue }
            let version = parts.first { $0.hasPrefix("v=") }.map { String($0.dropFirst(2)) } ?? "v1"
            guard ["v1", "v1beta1"].contains(version) else { continue }
            if parts.contains("as=Table") {
                self = .table(version: version)
            } else if parts.contains("as=PartialObjectMetadata") || parts.contains("as=PartialObjectMetadataList") {
                self = .metadata(version: version)
            }
            return
        }
    }
}
