import Bytes
import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    func get(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) throws -> Response {
        present(try store.get(key), Presentation(request), options)
    }

    func list(
        _ request: Request, _ path: ResourcePath, _ kind: ResourceKind, _ options: RequestOptions
    ) throws -> Response {
        // `limit` may be exceeded: the whole list without `continue` is a complete answer.
        let list = store.list(
            kind, namespace: path.namespace, labels: try options.labelSelector(),
            fields: try options.fieldSelector(for: kind))
        var body: [UInt8]
        switch Presentation(request) {
        case .table(let version):
            let table = TableWriter(kind: kind, version: version, includeObject: options.value("includeObject"))
            body = table.encode(list.items, resourceVersion: String(list.version), withColumns: true)
        case .objects:
            body = Self.listHead(kind.kind + "List", kind.apiVersion, list.version)
            Self.append(list.items.map(\.encoded), to: &body)
        case .metadata(let version):
            body = Self.listHead("PartialObjectMetadataList", "meta.k8s.io/\(version)", list.version)
            Self.append(list.items.map { Self.metadata($0, version).encoded }, to: &body)
        }
        return Response(contentType: "application/json", body)
    }

    private static func listHead(_ kind: String, _ apiVersion: String, _ version: UInt64) -> [UInt8] {
        var body: [UInt8] = []
        body.append("{\"kind\":\"\(kind)\",\"apiVersion\":\"\(apiVersion)\",\"metadata\":{\"resourceVersion\":\"")
        body.append(decimal: version)
        body.append("\"},\"items\":[")
        return body
    }

    private static func append(_ items: [[UInt8]], to body: inout [UInt8]) {
        body.reserveCapacity(body.count + items.reduce(2) { $0 + $1.count + 1 })
        for (index, item) in items.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: item)
        }
        body.append("]}")
    }

    /// One object in the form the client wants.
    func present(
        _ resource: Resource, _ presentation: Presentation, _ options: RequestOptions, status: HTTPStatus = .ok
    ) -> Response {
        let body: [UInt8] =
            switch presentation {
            case .objects: resource.encoded
            case .metadata(let version): Self.metadata(resource, version).encoded
            case .table(let version):
                TableWriter(kind: resource.kind, version: version, includeObject: options.value("includeObject"))
                    .encode([resource], resourceVersion: String(resource.version), withColumns: true)
            }
        return Response(status, contentType: "application/json", body)
    }

    static func metadata(_ resource: Resource, _ version: String) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": resource.metadata,
        ]
    }
}
