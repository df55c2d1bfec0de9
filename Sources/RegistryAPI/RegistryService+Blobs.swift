import Bytes
import HTTP
import OCI
import Objects

extension RegistryService {
    // MARK: Reading

    func getBlob(_ request: Request, _ name: RepositoryName, _ digest: Digest) async throws -> Response {
        try await requireBlob(name, digest)
        let range = request.method == .get ? request.fields["Range"].flatMap { ByteRangeField($0) } : nil
        let info: ObjectInfo
        let contents: ObjectContents
        do {
            (info, contents) = try await store.open(.blobs, digest.hexadecimal) { size in
                guard let range else { return 0..<size }
                return range.resolve(size: size)
            }
        } catch let error as ObjectError where error.code == .rangeNotSatisfiable {
            throw RegistryError(.rangeInvalid, "the range lies outside of the blob")
        }
        var response = Response(range == nil ? HTTPStatus.ok : HTTPStatus.partialContent)
        response.fields.append("Content-Type", "application/octet-stream")
        response.fields.append("Docker-Content-Digest", digest.text)
        response.fields.append("ETag", "\"\(digest.text)\"")
        response.fields.append("Accept-Ranges", "bytes")
        if range != nil {
            response.fields.append("Content-Range", ByteRangeField.contentRange(contents.range, size: info.size))
        }
        response.body = .stream(length: contents.range.count) { writer in
            try await contents.forEachSegment { segment in
                switch segment {
                case .bytes(let bytes): try await writer.write(bytes)
                case .file(let bytes): try await writer.write(Self.region(bytes))
                }
            }
        }
        return response
    }

    private static func region(_ bytes: ObjectContents.FileBytes) -> FileRegion {
        // The descriptor belongs to `bytes`, which the closure keeps until the region goes.
        FileRegion(descriptor: bytes.descriptor, range: bytes.range) { _ in withExtendedLifetime(bytes) {} }
    }

    func requireBlob(_ name: RepositoryName, _ digest: Digest) async throws {
        let link = try await store.exists(.links, "\(name.text):\(digest.hexadecimal)")
        let blob = try await store.exists(.blobs, digest.hexadecimal)
        guard link != nil, blob != nil else {
            throw RegistryError(.blobUnknown, "\(name.text) has no blob \(digest.text)")
        }
    }

    /// Takes the blob from this repository; its bytes go when the last repository has let it go (`collectGarbage`).
    func deleteBlob(_ name: RepositoryName, _ digest: Digest) async throws -> Response {
        try await requireBlob(name, digest)
        try await store.delete(.links, ["\(name.text):\(digest.hexadecimal)"])
        return Response(.accepted)
    }

    // MARK: Uploading

    func beginUpload(_ request: Request, _ name: RepositoryName) async throws -> Response {
        if let mount = request.queryValue("mount") {
            if let mounted = try await self.mount(try RegistryEndpoint.digest(mount), request, name) { return mounted }
        }
        let upload = try await uploads.begin(name) { [store] in
            try await store.objects.ingest(expectedBytes: nil, checksum: nil, sha256: true)
        }
        if let digest = request.queryValue("digest") {
            return try await finish(upload, request, digest)
        }
        // Some clients send bytes with the POST that begins.
        do { try await append(request, to: upload) } catch {
            await drop(upload)
            throw error
        }
        uploads.giveBack(upload)
        return accepted(upload)
    }

    /// Another repository's blob becomes this one's too; nil when it is not there, and then an upload begins.
    private func mount(_ digest: Digest, _ request: Request, _ name: RepositoryName) async throws -> Response? {
        await gate.enter()
        defer { gate.leave() }
        if let from = request.queryValue("from") {
            guard let source = RepositoryName(from),
                try await store.exists(.links, "\(source.text):\(digest.hexadecimal)") != nil
            else { return nil }
        }
        guard try await store.exists(.blobs, digest.hexadecimal) != nil else { return nil }
        try await store.write(.links, "\(name.text):\(digest.hexadecimal)", [])
        return created(name, digest)
    }

    func uploadStatus(_ name: RepositoryName, _ id: String) throws -> Response {
        let upload = try uploads.take(id, of: name)
        uploads.giveBack(upload)
        var response = Response(.noContent)
        describe(upload, in: &response)
        return response
    }

    func continueUpload(_ request: Request, _ name: RepositoryName, _ id: String) async throws -> Response {
        let upload = try take(id, of: name, for: request)
        do { try await append(request, to: upload) } catch {
            // Part of the bytes may have come, and the running digest cannot go back.
            await drop(upload)
            throw error
        }
        uploads.giveBack(upload)
        return accepted(upload)
    }

    func finishUpload(_ request: Request, _ name: RepositoryName, _ id: String) async throws -> Response {
        guard let digest = request.queryValue("digest") else {
            throw RegistryError(.digestInvalid, "the digest of the whole blob is missing: PUT ...?digest=sha256:...")
        }
        let upload = try take(id, of: name, for: request)
        return try await finish(upload, request, digest)
    }

    func cancelUpload(_ name: RepositoryName, _ id: String) async throws -> Response {
        await drop(try uploads.take(id, of: name))
        return Response(.noContent)
    }

    /// Appends the request's body, compares the digest, and makes the blob durable before it is acknowledged.
    private func finish(_ upload: BlobUpload, _ request: Request, _ text: String) async throws -> Response {
        do {
            let digest = try RegistryEndpoint.digest(text)
            try await append(request, to: upload)
            try await upload.ingest.seal()
            let computed = Digest(bytes: upload.ingest.digests.sha256 ?? [])
            guard computed == digest else {
                throw RegistryError(.digestInvalid, "the bytes have the digest \(computed.text), not \(digest.text)")
            }
            await gate.enter()
            defer { gate.leave() }
            if try await store.exists(.blobs, digest.hexadecimal) == nil {
                try await store.put(.blobs, digest.hexadecimal, upload.ingest)
            } else {
                await upload.ingest.discard()
            }
            try await store.write(.links, "\(upload.repository.text):\(digest.hexadecimal)", [])
            uploads.end()
            return created(upload.repository, digest)
        } catch {
            await drop(upload)
            throw error
        }
    }

    private func append(_ request: Request, to upload: BlobUpload) async throws {
        while let chunk = try await request.body.next() {
            guard upload.size + Int64(chunk.count) <= ObjectLimits.objectBytesMax else {
                throw RegistryError(.sizeInvalid, "a blob is at most 5 TiB")
            }
            try await upload.ingest.append(chunk)
        }
    }

    private func drop(_ upload: BlobUpload) async {
        await upload.ingest.discard()
        uploads.end()
    }

    /// Lends an upload to a request that goes on where it ends.
    private func take(_ id: String, of name: RepositoryName, for request: Request) throws(RegistryError) -> BlobUpload {
        let upload = try uploads.take(id, of: name)
        do throws(RegistryError) {
            try checkRange(request, upload)
            return upload
        } catch {
            uploads.giveBack(upload)
            throw error
        }
    }

    /// `Content-Range: START-END` of a chunk must go on where the last one ended.
    private func checkRange(_ request: Request, _ upload: BlobUpload) throws(RegistryError) {
        guard let text = request.fields["Content-Range"] else { return }
        let parts = (text.hasPrefix("bytes ") ? text.dropFirst(6) : text[...]).prefix { $0 != "/" }.split(
            separator: "-")
        guard parts.count == 2, let first = ASCII.decimal(parts[0].utf8), let last = ASCII.decimal(parts[1].utf8),
            first <= last
        else { throw RegistryError(.blobUploadInvalid, "Content-Range is START-END, both included") }
        guard Int64(first) == upload.size else {
            throw RegistryError(.rangeInvalid, "the next byte is \(upload.size), not \(first)")
        }
        if let length = request.body.length, length != last - first + 1 {
            throw RegistryError(.sizeInvalid, "Content-Range names \(last - first + 1) bytes, Content-Length \(length)")
        }
    }

    // MARK: Answers

    private func accepted(_ upload: BlobUpload) -> Response {
        var response = Response(.accepted)
        describe(upload, in: &response)
        return response
    }

    private func describe(_ upload: BlobUpload, in response: inout Response) {
        response.fields.append("Location", "/v2/\(upload.repository.text)/blobs/uploads/\(upload.id)")
        response.fields.append("Range", "0-\(max(0, upload.size - 1))")
        response.fields.append("Docker-Upload-UUID", upload.id)
    }

    private func created(_ name: RepositoryName, _ digest: Digest) -> Response {
        var response = Response(.created)
        response.fields.append("Location", "/v2/\(name.text)/blobs/\(digest.text)")
        response.fields.append("Docker-Content-Digest", digest.text)
        return response
    }
}
