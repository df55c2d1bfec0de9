import Bytes
import HTTP
import Objects

extension PayloadPromise {
    /// Reads what the fields of a request promise of its body.
    ///
    /// Throws `InvalidDigest` for an ill-formed Content-MD5, `InvalidRequest` for an ill-formed checksum or several.
    init(fields: HTTPFields, length: Int?, sha256: String?, hasTrailer: Bool) throws(S3Error) {
        self.length = length
        self.sha256 = sha256
        if let text = fields["Content-MD5"] {
            guard let value = Base64.decode(text.utf8), value.count == 16 else { throw S3Error(.invalidDigest) }
            md5 = value
        }
        checksum = try Self.checksum(of: fields)
        guard hasTrailer, let announced = fields["x-amz-trailer"] else { return }
        let prefix = "x-amz-checksum-"
        let name = announced.lowercased()
        guard name.hasPrefix(prefix),
            let algorithm = ChecksumAlgorithm(rawValue: name.dropFirst(prefix.count).uppercased())
        else { throw S3Error(.invalidRequest, "The value specified in the x-amz-trailer header is not supported.") }
        guard checksum == nil else {
            throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header, not a header and a trailer.")
        }
        trailerAlgorithm = algorithm
    }

    /// The one `x-amz-checksum-…` field, or nil.
    static func checksum(of fields: HTTPFields) throws(S3Error) -> Checksum? {
        var found: Checksum?
        for algorithm in ChecksumAlgorithm.allCases {
            let name = "x-amz-checksum-\(algorithm.rawValue.lowercased())"
            guard let text = fields[name] else { continue }
            guard found == nil else {
                throw S3Error(
                    .invalidRequest,
                    "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.")
            }
            // A composite value ends with "-N".
            let value = text.pieces(by: "-", maxSplits: 1).first ?? ""
            guard Base64.decode(value.utf8)?.count == algorithm.byteCount else {
                throw S3Error(.invalidRequest, "Value for \(name) header is invalid.")
            }
            found = Checksum(algorithm: algorithm, text: text)
        }
        return found
    }
}
