import Bytes
import HTTP
import Objects

// AbortMultipartUpload, ListParts, ListMultipartUploads.
extension S3Call {
    func abortMultipartUpload() async throws -> Response {
        try await requireBucket()
        try await store.abortUpload(bucket: bucket, key: try key(), id: query.value("uploadId") ?? "")
        return Response(.noContent)
    }

    func listParts() async throws -> Response {
        try await requireBucket()
        let key = try key()
        let id = query.value("uploadId") ?? ""
        let marker = try query.number("part-number-marker", default: 0)
        let countMax = try query.number(
            "max-parts", default: ObjectLimits.listCountMax, maximum: ObjectLimits.listCountMax)
        let (upload, parts) = try await store.listParts(
            bucket: bucket, key: key, upload: id, after: marker, countMax: countMax + 1)
        let shown = parts.prefix(countMax)
        var xml = S3XML(root: "ListPartsResult")
        xml.leaf("Bucket", bucket)
        xml.leaf("Key", key.text)
        xml.leaf("UploadId", id)
        appendOwner(to: &xml, as: "Initiator")
        appendOwner(to: &xml)
        xml.leaf("StorageClass", "STANDARD")
        xml.leaf("PartNumberMarker", marker)
        if parts.count > countMax { xml.leaf("NextPartNumberMarker", shown.last?.number ?? marker) }
        xml.leaf("MaxParts", countMax)
        xml.leaf("IsTruncated", parts.count > countMax)
        xml.leafIfPresent("ChecksumAlgorithm", upload.checksumAlgorithm?.rawValue)
        xml.leafIfPresent("ChecksumType", upload.checksumType?.rawValue)
        for part in shown {
            xml.begin("Part")
            xml.leaf("PartNumber", part.number)
            xml.leaf("LastModified", part.modified)
            xml.leaf("ETag", "\"\(part.etag)\"")
            xml.leaf("Size", part.size)
            if let checksum = part.checksum { xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text) }
            xml.end()
        }
        return xml.response()
    }

    func listMultipartUploads() async throws -> Response {
        try await requireBucket()
        let encoding = try ListEncoding(query)
        var listing = ListingQuery()
        listing.prefix = Array((query.value("prefix") ?? "").utf8)
        listing.delimiter = Array((query.value("delimiter") ?? "").utf8)
        listing.countMax = try query.number(
            "max-uploads", default: ObjectLimits.listCountMax, maximum: ObjectLimits.listCountMax)
        let keyMarker = query.value("key-marker") ?? ""
        let idMarker = query.value("upload-id-marker") ?? ""
        if !keyMarker.isEmpty {
            listing.after = ObjectStore.uploadPosition(
                key: Array(keyMarker.utf8), id: idMarker.isEmpty ? nil : idMarker)
        }
        let page = try await store.listUploads(bucket: bucket, listing)
        var xml = S3XML(root: "ListMultipartUploadsResult")
        xml.leaf("Bucket", bucket)
        xml.leaf("KeyMarker", encoding.text(keyMarker))
        xml.leaf("UploadIdMarker", idMarker)
        if page.next != nil {
            let last = page.items.last
            let lastPrefix = page.commonPrefixes.last.map { String(utf8: $0) } ?? ""
            xml.leaf("NextKeyMarker", encoding.text(max(last?.key.text ?? "", lastPrefix)))
            xml.leaf("NextUploadIdMarker", last?.id ?? "")
        }
        xml.leaf("Prefix", encoding.text(listing.prefix))
        if !listing.delimiter.isEmpty { xml.leaf("Delimiter", encoding.text(listing.delimiter)) }
        if encoding.isURL { xml.leaf("EncodingType", "url") }
        xml.leaf("MaxUploads", listing.countMax)
        xml.leaf("IsTruncated", page.next != nil)
        for upload in page.items {
            xml.begin("Upload")
            xml.leaf("Key", encoding.text(upload.key.bytes))
            xml.leaf("UploadId", upload.id)
            appendOwner(to: &xml, as: "Initiator")
            appendOwner(to: &xml)
            xml.leaf("StorageClass", "STANDARD")
            xml.leaf("Initiated", upload.initiated)
            xml.leafIfPresent("ChecksumAlgorithm", upload.checksumAlgorithm?.rawValue)
            xml.leafIfPresent("ChecksumType", upload.checksumType?.rawValue)
            xml.end()
        }
        append(prefixes: page.commonPrefixes, encoding, to: &xml)
        return xml.response()
    }
}
