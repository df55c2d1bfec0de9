// The rules of completing a multipart upload, without the index: which parts are chosen, and what the object they make
// is called by (ETag, checksum). Source: "CompleteMultipartUpload" in the Amazon S3 API reference and "Checking object
// integrity" in its user guide.

import Bytes
import Clock
import Digests

enum Completion {
    /// The stored parts that `listed` names, in its order.
    ///
    /// Throws `partListInvalid`, `partOrderInvalid`, `partNotFound` or `partTooSmall`.
    static func choose(_ listed: [CompletedPart], from stored: [PartInfo]) throws(ObjectError) -> [PartInfo] {
        guard !listed.isEmpty else { throw ObjectError(.partListInvalid, "You must specify at least one part.") }
        guard listed.count <= ObjectLimits.partNumberMax else {
            throw ObjectError(.partListInvalid, "At most 10000 parts are allowed.")
        }
        for (left, right) in zip(listed, listed.dropFirst()) where left.number >= right.number {
            throw ObjectError(
                .partOrderInvalid,
                "The list of parts was not in ascending order: \(right.number) follows \(left.number).")
        }
        let byNumber = Dictionary(stored.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        var chosen: [PartInfo] = []
        for part in listed {
            guard let present = byNumber[part.number], present.etag == part.etag else {
                throw ObjectError(
                    .partNotFound,
                    "Part \(part.number) could not be found, or its entity tag is not that of the uploaded part.")
            }
            if let promised = part.checksum, let checksum = present.checksum, promised.algorithm == checksum.algorithm,
                promised.text != checksum.text
            {
                throw ObjectError(
                    .partNotFound, "The checksum given for part \(part.number) is not that of the uploaded part.")
            }
            chosen.append(present)
        }
        for part in chosen.dropLast() where part.size < ObjectLimits.partBytesMin {
            throw ObjectError(
                .partTooSmall,
                "Your proposed upload is smaller than the minimum allowed size: "
                    + "part \(part.number) has \(part.size) bytes, "
                    + "every part but the last needs \(ObjectLimits.partBytesMin).")
        }
        return chosen
    }

    static func object(key: ObjectKey, upload: UploadRow, parts: [PartInfo]) throws(ObjectError) -> ObjectInfo {
        var hash = MD5()
        for part in parts { hash.update(Hex.decode(part.etag.utf8) ?? []) }
        let size = parts.reduce(0) { $0 + $1.size }
        guard size <= ObjectLimits.objectBytesMax else {
            throw ObjectError(.tooLarge, "An object may have at most 5 TiB.")
        }
        return ObjectInfo(
            key: key, size: size, etag: "\(Hex.encode(hash.finalize()))-\(parts.count)", modified: WallTime.now,
            attributes: upload.attributes, tags: upload.tags, checksum: checksum(upload: upload, parts: parts),
            partCount: parts.count, version: upload.version, blob: nil)
    }

    /// The object's checksum from those of its parts; nil when the upload has none or a part lacks it.
    private static func checksum(upload: UploadRow, parts: [PartInfo]) -> Checksum? {
        guard let algorithm = upload.info.checksumAlgorithm, let type = upload.info.checksumType else { return nil }
        var values: [[UInt8]] = []
        for part in parts {
            guard let checksum = part.checksum, checksum.algorithm == algorithm,
                let value = Base64.decode(checksum.text.utf8)
            else { return nil }
            values.append(value)
        }
        switch type {
        case .composite:
            var hash = ChecksumHasher(algorithm)
            for value in values { value.withUnsafeBytes { hash.update($0) } }
            return Checksum(algorithm: algorithm, type: type, text: "\(Base64.encode(hash.finalize()))-\(parts.count)")
        case .fullObject:
            guard let combination = ChecksumCombination(algorithm) else { return nil }
            var whole: UInt64 = 0
            for (index, value) in values.enumerated() {
                let number = value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                whole = index == 0 ? number : combination.combine(whole, number, rightBytes: parts[index].size)
            }
            let bytes = (0..<algorithm.byteCount).map {
                UInt8(truncatingIfNeeded: whole >> UInt64((algorithm.byteCount - 1 - $0) * 8))
            }
            return Checksum(algorithm: algorithm, type: type, text: Base64.encode(bytes))
        }
    }
}
