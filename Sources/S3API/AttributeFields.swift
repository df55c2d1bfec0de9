// Object attributes between request fields, index and response fields.

import Bytes
import Clock
import HTTP
import Objects

enum AttributeFields {
    static let names = [
        "Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
        "x-amz-website-redirect-location", "x-amz-storage-class",
    ]
    static let metadataPrefix = "x-amz-meta-"

    /// What a request says about the object it writes.
    static func read(_ fields: HTTPFields) -> ObjectAttributes {
        var attributes = ObjectAttributes()
        for name in names {
            guard var value = fields[name] else { continue }
            if name == "Content-Encoding", value.contains("aws-chunked") {
                // A coding of the transfer, not of the object.
                value = value.pieces(by: ",").map { $0.filter { $0 != " " } }.filter { $0 != "aws-chunked" }
                    .joined(separator: ", ")
            }
            if name == "x-amz-storage-class", value == "STANDARD" { continue }
            if !value.isEmpty { attributes.fields.append(ObjectAttributes.Pair(name, value)) }
        }
        for (name, value) in fields.all {
            let lower = name.lowercased()
            guard lower.hasPrefix(metadataPrefix) else { continue }
            let metadataName = String(lower.dropFirst(metadataPrefix.count))
            if let index = attributes.userMetadata.firstIndex(where: { $0.name == metadataName }) {
                // Several fields of one name are one value (RFC 9110 section 5.3).
                let joined = "\(attributes.userMetadata[index].value),\(value)"
                attributes.userMetadata[index] = ObjectAttributes.Pair(metadataName, joined)
            } else {
                attributes.userMetadata.append(ObjectAttributes.Pair(metadataName, value))
            }
        }
        return attributes
    }

    /// Tags of the `x-amz-tagging` field: a query string. Throws `InvalidTag`.
    static func tags(_ fields: HTTPFields) throws(S3Error) -> [ObjectAttributes.Pair] {
        guard let text = fields["x-amz-tagging"], !text.isEmpty else { return [] }
        do throws(S3Error) {
            let tags = try S3Query(text[...]).pairs.map { ObjectAttributes.Pair($0.name, $0.value) }
            do { try ObjectStore.validate(tags: tags) } catch { throw S3Error(error) }
            return tags
        } catch {
            guard error.code == .invalidURI else { throw error }
            throw S3Error(
                .invalidArgument,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters.")
        }
    }

    /// Appends what GET and HEAD say about an object.
    static func append(_ object: ObjectInfo, to fields: inout HTTPFields, withChecksum: Bool) {
        fields.append("ETag", "\"\(object.etag)\"")
        fields.append("Last-Modified", object.modified.httpDate)
        fields.append("Accept-Ranges", "bytes")
        if object.attributes.field("Content-Type") == nil { fields.append("Content-Type", "binary/octet-stream") }
        for pair in object.attributes.fields { fields.append(pair.name, pair.value) }
        for pair in object.attributes.userMetadata { fields.append("\(metadataPrefix)\(pair.name)", pair.value) }
        if !object.tags.isEmpty { fields.append("x-amz-tagging-count", "\(object.tags.count)") }
        if withChecksum, let checksum = object.checksum { append(checksum, to: &fields) }
    }

    static func append(_ checksum: Checksum, to fields: inout HTTPFields) {
        fields.append("x-amz-checksum-\(checksum.algorithm.rawValue.lowercased())", checksum.text)
        fields.append("x-amz-checksum-type", checksum.type.rawValue)
    }
}
