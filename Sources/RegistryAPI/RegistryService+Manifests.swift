import Bytes
import Digests
import Formats
import HTTP
import OCI
import Objects

extension RegistryService {
    func getManifest(_ name: RepositoryName, _ reference: Reference) async throws -> Response {
        let digest = try await resolve(name, reference)
        guard let (info, bytes) = try await store.read(.manifests, "\(name.text):\(digest.hexadecimal)") else {
            throw RegistryError(.manifestUnknown, "\(name.text) has no manifest \(digest.text)")
        }
        var response = Response(
            .ok, contentType: info.attributes.field("Content-Type") ?? "application/octet-stream", bytes)
        response.fields.append("Docker-Content-Digest", digest.text)
        response.fields.append("ETag", "\"\(digest.text)\"")
        return response
    }

    private func resolve(_ name: RepositoryName, _ reference: Reference) async throws -> Digest {
        switch reference {
        case .digest(let digest): return digest
        case .tag(let tag):
            guard let (_, bytes) = try await store.read(.tags, "\(name.text):\(tag)"),
                let digest = String(validUTF8: bytes).flatMap({ Digest($0) })
            else {
                throw RegistryError(
                    .manifestUnknown, "\(name.text) has no tag \(tag); /v2/\(name.text)/tags/list shows them")
            }
            return digest
        }
    }

    func putManifest(_ request: Request, _ name: RepositoryName, _ reference: Reference) async throws -> Response {
        let bytes: [UInt8]
        do {
            bytes = try await request.body.collect(bytesMax: ManifestDocument.bytesMax)
        } catch BodyError.tooLarge {
            throw RegistryError(.sizeInvalid, "a manifest is at most \(ManifestDocument.bytesMax >> 20) MiB")
        }
        let digest = Digest(bytes: SHA256.hash(bytes))
        if case .digest(let promised) = reference, promised != digest {
            throw RegistryError(.digestInvalid, "the manifest has the digest \(digest.text), not \(promised.text)")
        }
        let document = try ManifestDocument(bytes, contentType: request.fields["Content-Type"])
        await gate.enter()
        defer { gate.leave() }
        for blob in document.blobs {
            guard try await store.exists(.links, "\(name.text):\(blob.hexadecimal)") != nil else {
                throw RegistryError(
                    .manifestBlobUnknown, "\(name.text) has no blob \(blob.text): push it before the manifest")
            }
        }
        for manifest in document.manifests {
            guard try await store.exists(.manifests, "\(name.text):\(manifest.hexadecimal)") != nil else {
                throw RegistryError(
                    .manifestBlobUnknown, "\(name.text) has no manifest \(manifest.text): push it before the index")
            }
        }
        // The tag comes last: whoever sees it finds everything that it stands for.
        try await store.write(
            .manifests, "\(name.text):\(digest.hexadecimal)", bytes, mediaType: document.mediaType)
        if let subject = document.subject {
            try await store.write(
                .referrers, "\(name.text):\(subject.hexadecimal):\(digest.hexadecimal)",
                Self.descriptor(document, digest, size: bytes.count))
        }
        if case .tag(let tag) = reference {
            try await store.write(.tags, "\(name.text):\(tag)", Array(digest.text.utf8))
        }
        var response = Response(.created)
        response.fields.append("Location", "/v2/\(name.text)/manifests/\(digest.text)")
        response.fields.append("Docker-Content-Digest", digest.text)
        if let subject = document.subject { response.fields.append("OCI-Subject", subject.text) }
        return response
    }

    private static func descriptor(_ document: ManifestDocument, _ digest: Digest, size: Int) -> [UInt8] {
        var descriptor: JSON = [
            "mediaType": .string(document.mediaType), "digest": .string(digest.text), "size": .int(Int64(size)),
        ]
        if let type = document.artifactType { descriptor["artifactType"] = .string(type) }
        if let annotations = document.annotations { descriptor["annotations"] = annotations }
        var writer = JSONWriter()
        writer.value(descriptor)
        return writer.bytes
    }

    /// Deletes a tag, or a manifest with every tag that stands for it.
    func deleteManifest(_ name: RepositoryName, _ reference: Reference) async throws -> Response {
        let digest = try await resolve(name, reference)
        if case .tag(let tag) = reference {
            try await store.delete(.tags, ["\(name.text):\(tag)"])
            return Response(.accepted)
        }
        guard let (info, bytes) = try await store.read(.manifests, "\(name.text):\(digest.hexadecimal)") else {
            throw RegistryError(.manifestUnknown, "\(name.text) has no manifest \(digest.text)")
        }
        var last = ""
        while true {
            let (tags, hasMore) = try await store.keys(.tags, prefix: name.text + ":", after: last, countMax: 1000)
            for tag in tags where try await store.read(.tags, "\(name.text):\(tag)")?.bytes == Array(digest.text.utf8) {
                try await store.delete(.tags, ["\(name.text):\(tag)"])
            }
            guard hasMore, let next = tags.last else { break }
            last = next
        }
        let mediaType = info.attributes.field("Content-Type")
        if let subject = try? ManifestDocument(bytes, contentType: mediaType).subject {
            try await store.delete(.referrers, ["\(name.text):\(subject.hexadecimal):\(digest.hexadecimal)"])
        }
        try await store.delete(.manifests, ["\(name.text):\(digest.hexadecimal)"])
        return Response(.accepted)
    }
}
