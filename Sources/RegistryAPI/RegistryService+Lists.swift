import Bytes
import Formats
import HTTP
import OCI
import Objects

extension RegistryService {
    func catalog(_ request: Request) async throws -> Response {
        let (countMax, last) = try page(request)
        guard countMax > 0 else { return json(["repositories": []]) }
        let (names, hasMore) = try await store.repositories(after: last, countMax: countMax)
        var response = json(["repositories": .array(names.map { .string($0) })])
        if hasMore, let next = names.last {
            response.fields.append("Link", Self.link("/v2/_catalog", countMax, next))
        }
        return response
    }

    func tags(_ request: Request, _ name: RepositoryName) async throws -> Response {
        let (countMax, last) = try page(request)
        let isKnown = try await store.keys(.manifests, prefix: name.text + ":", countMax: 1).keys.isEmpty == false
        guard isKnown else {
            throw RegistryError(.nameUnknown, "there is no repository \(name.text); /v2/_catalog shows them")
        }
        guard countMax > 0 else { return json(["name": .string(name.text), "tags": []]) }
        let (tags, hasMore) = try await store.keys(.tags, prefix: name.text + ":", after: last, countMax: countMax)
        var response = json(["name": .string(name.text), "tags": .array(tags.map { .string($0) })])
        if hasMore, let next = tags.last {
            response.fields.append("Link", Self.link("/v2/\(name.text)/tags/list", countMax, next))
        }
        return response
    }

    /// An index of the manifests that name `subject`, in pages; empty for one that nobody names, as the specification
    /// wants it. The filter is applied to each page, so a page may hold fewer than were asked for, or none.
    func referrers(_ request: Request, _ name: RepositoryName, _ subject: Digest) async throws -> Response {
        let wanted = request.queryValue("artifactType")
        let prefix = "\(name.text):\(subject.hexadecimal):"
        let (countMax, last) = try page(request)
        guard countMax > 0 else { throw RegistryError(.paginationInvalid, "n is a number of entries from 1 on") }
        let (keys, hasMore) = try await store.keys(.referrers, prefix: prefix, after: last, countMax: countMax)
        var descriptors: [JSON] = []
        for key in keys {
            guard let (_, bytes) = try await store.read(.referrers, prefix + key), let json = try? JSON.parse(bytes),
                wanted == nil || json["artifactType"]?.stringValue == wanted
            else { continue }
            descriptors.append(json)
        }
        let type = "application/vnd.oci.image.index.v1+json"
        var response = json(["schemaVersion": 2, "mediaType": .string(type), "manifests": .array(descriptors)])
        response.fields["Content-Type"] = type
        if hasMore, let next = keys.last {
            let path = "/v2/\(name.text)/referrers/\(subject.text)"
            response.fields.append("Link", Self.link(path, countMax, next, artifactType: wanted))
        }
        if wanted != nil { response.fields.append("OCI-Filters-Applied", "artifactType") }
        return response
    }

    private func json(_ value: JSON) -> Response {
        var writer = JSONWriter()
        writer.value(value)
        return Response(contentType: "application/json", writer.bytes)
    }

    private static func link(_ path: String, _ count: Int, _ last: String, artifactType: String? = nil) -> String {
        let filter = artifactType.map { "&artifactType=\(PercentCoding.encode($0))" } ?? ""
        return "<\(path)?n=\(count)&last=\(PercentCoding.encode(last))\(filter)>; rel=\"next\""
    }
}
