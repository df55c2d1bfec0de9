import Bytes
import HTTP
import Objects

// The three listings of objects. A continuation token is the place where the page ended, in URL-safe Base64; clients
// must not look into it.
extension S3Call {
    func listObjectsV2() async throws -> Response {
        let encoding = try ListEncoding(query)
        var listing = try listingQuery()
        let token = query.value("continuation-token")
        let startAfter = query.value("start-after")
        if let token, !token.isEmpty {
            guard let place = Base64.decode(token.utf8), !place.isEmpty else {
                throw S3Error(.invalidArgument, "The continuation token provided is incorrect.")
            }
            listing.after = place
        } else if let startAfter {
            listing.after = Array(startAfter.utf8)
        }
        let page = try await store.listObjects(bucket: bucket, owner: identity.ownerID, listing)
        var xml = S3XML(root: "ListBucketResult")
        xml.leaf("Name", bucket)
        xml.leaf("Prefix", encoding.text(listing.prefix))
        if let token { xml.leaf("ContinuationToken", token) }
        if let next = page.next { xml.leaf("NextContinuationToken", Base64.encodeURLSafe(next)) }
        if let startAfter { xml.leaf("StartAfter", encoding.text(startAfter)) }
        xml.leaf("KeyCount", page.items.count + page.commonPrefixes.count)
        appendCommon(listing, encoding, isTruncated: page.next != nil, to: &xml)
        append(page, encoding, withOwner: query.value("fetch-owner") == "true", to: &xml)
        return xml.response()
    }

    func listObjects() async throws -> Response {
        let encoding = try ListEncoding(query)
        var listing = try listingQuery()
        let marker = query.value("marker") ?? ""
        listing.after = Array(marker.utf8)
        let page = try await store.listObjects(bucket: bucket, owner: identity.ownerID, listing)
        var xml = S3XML(root: "ListBucketResult")
        xml.leaf("Name", bucket)
        // Clients decode keys and markers of a version 1 listing, but not the prefix.
        xml.leaf("Prefix", String(utf8: listing.prefix))
        xml.leaf("Marker", encoding.text(marker))
        // Amazon gives it with a delimiter only; clients without one take the last key, which is the same place.
        if let next = page.next { xml.leaf("NextMarker", encoding.text(next)) }
        appendCommon(listing, encoding, isTruncated: page.next != nil, to: &xml)
        append(page, encoding, withOwner: true, to: &xml)
        return xml.response()
    }

    /// ListObjectVersions of a bucket without versions: each object is its own latest version, called `null`.
    func listObjectVersions() async throws -> Response {
        let encoding = try ListEncoding(query)
        var listing = try listingQuery()
        let marker = query.value("key-marker") ?? ""
        listing.after = Array(marker.utf8)
        let page = try await store.listObjects(bucket: bucket, owner: identity.ownerID, listing)
        var xml = S3XML(root: "ListVersionsResult")
        xml.leaf("Name", bucket)
        xml.leaf("Prefix", encoding.text(listing.prefix))
        xml.leaf("KeyMarker", encoding.text(marker))
        xml.leaf("VersionIdMarker", query.value("version-id-marker") ?? "")
        if let next = page.next {
            xml.leaf("NextKeyMarker", encoding.text(next))
            xml.leaf("NextVersionIdMarker", "null")
        }
        appendCommon(listing, encoding, isTruncated: page.next != nil, to: &xml)
        for object in page.items {
            xml.begin("Version")
            xml.leaf("Key", encoding.text(object.key.bytes))
            xml.leaf("VersionId", "null")
            xml.leaf("IsLatest", true)
            appendProperties(of: object, to: &xml)
            appendOwner(to: &xml)
            xml.end()
        }
        append(prefixes: page.commonPrefixes, encoding, to: &xml)
        return xml.response()
    }

    private func listingQuery() throws(S3Error) -> ListingQuery {
        var listing = ListingQuery()
        listing.prefix = Array((query.value("prefix") ?? "").utf8)
        listing.delimiter = Array((query.value("delimiter") ?? "").utf8)
        listing.countMax = try query.number(
            "max-keys", default: ObjectLimits.listCountMax, maximum: ObjectLimits.listCountMax)
        return listing
    }

    private func appendCommon(
        _ listing: ListingQuery, _ encoding: ListEncoding, isTruncated: Bool, to xml: inout S3XML
    ) {
        xml.leaf("MaxKeys", listing.countMax)
        if !listing.delimiter.isEmpty { xml.leaf("Delimiter", encoding.text(listing.delimiter)) }
        if encoding.isURL { xml.leaf("EncodingType", "url") }
        xml.leaf("IsTruncated", isTruncated)
    }

    private func append(
        _ page: Listing<ListedObject>, _ encoding: ListEncoding, withOwner: Bool, to xml: inout S3XML
    ) {
        for object in page.items {
            xml.begin("Contents")
            xml.leaf("Key", encoding.text(object.key.bytes))
            appendProperties(of: object, to: &xml)
            if withOwner { appendOwner(to: &xml) }
            xml.end()
        }
        append(prefixes: page.commonPrefixes, encoding, to: &xml)
    }

    private func appendProperties(of object: ListedObject, to xml: inout S3XML) {
        xml.leaf("LastModified", object.modified)
        xml.leaf("ETag", "\"\(object.etag)\"")
        if let checksum = object.checksum {
            xml.leaf("ChecksumAlgorithm", checksum.algorithm.rawValue)
            xml.leaf("ChecksumType", checksum.type.rawValue)
        }
        xml.leaf("Size", object.size)
        xml.leaf("StorageClass", "STANDARD")
    }

    func appendOwner(to xml: inout S3XML, as name: String = "Owner") {
        xml.begin(name)
        xml.leaf("ID", identity.ownerID)
        xml.leaf("DisplayName", identity.displayName)
        xml.end()
    }

    func append(prefixes: [[UInt8]], _ encoding: ListEncoding, to xml: inout S3XML) {
        for prefix in prefixes {
            xml.begin("CommonPrefixes")
            xml.leaf("Prefix", encoding.text(prefix))
            xml.end()
        }
    }
}
