import Bytes
import Clock
import Cluster
import Formats

/// Writes `Table` objects: what `kubectl get` asks for instead of the objects.
struct TableWriter {
    private let kind: ResourceKind
    /// Of `meta.k8s.io`.
    private let version: String
    /// `None`, `Metadata` (the default) or `Object`: what stands beside each row's cells.
    private let includeObject: String

    init(kind: ResourceKind, version: String, includeObject: String?) {
        self.kind = kind
        self.version = version
        self.includeObject = includeObject ?? "Metadata"
    }

    func encode(_ resources: [Resource], resourceVersion: String, withColumns: Bool) -> [UInt8] {
        let columns = TableColumn.columns(of: kind)
        let now = WallTime.now
        var writer = JSONWriter(reserving: 512 + resources.count * 512)
        writer.beginObject()
        writer.key("kind")
        writer.string("Table")
        writer.key("apiVersion")
        writer.string("meta.k8s.io/\(version)")
        writer.key("metadata")
        writer.value(["resourceVersion": .string(resourceVersion)])
        writer.key("columnDefinitions")
        writer.value(withColumns ? .array(columns.map(Self.definition)) : [])
        writer.key("rows")
        writer.beginArray()
        for resource in resources {
            writer.beginObject()
            writer.key("cells")
            writer.value(.array(columns.map { $0.cell(resource, now) }))
            switch includeObject {
            case "None": break
            case "Object":
                writer.key("object")
                writer.raw(resource.encoded)
            default:
                writer.key("object")
                writer.value(KubernetesAPI.metadata(resource, version))
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func definition(_ column: TableColumn) -> JSON {
        [
            "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
            "description": "", "priority": .int(Int64(column.priority)),
        ]
    }
}
