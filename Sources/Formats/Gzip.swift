import CZlib

/// Why compressed bytes could not be read.
package enum GzipError: Error, Equatable {
    /// Not gzip, cut short, or its checksum does not match.
    case malformed
    /// More than the allowed number of bytes come out of it.
    case tooLarge(bytesMax: Int)
}

/// The gzip format (RFC 1952), whole buffers at a time.
package enum Gzip {
    /// What stands around the compressed bytes. Its value is zlib's window bits: 15 is the largest window, 16 more asks
    /// for the gzip wrapper.
    package enum Wrapper: Int32, Sendable {
        /// RFC 1952: HTTP's `gzip`.
        case gzip = 31
        /// RFC 1950: HTTP's `deflate`.
        case zlib = 15
    }

    /// Compresses `bytes`. `level` is 1 (fast) to 9 (small).
    package static func compress(_ bytes: [UInt8], level: Int32 = 1, wrapper: Wrapper = .gzip) -> [UInt8] {
        var stream = z_stream()
        let status = deflateInit2_(
            &stream, level, Z_DEFLATED, wrapper.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib does not start: \(status)")
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        var source = bytes
        return [UInt8](unsafeUninitializedCapacity: bound) { out, count in
            source.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = out.baseAddress
                stream.avail_out = UInt32(out.count)
                // The bound holds a whole stream, so one call ends it.
                _ = deflate(&stream, Z_FINISH)
            }
            count = bound - Int(stream.avail_out)
        }
    }

    /// Decompresses one gzip member that fills `bytes`, at most `bytesMax` bytes of output, checked as it grows.
    package static func decompress(
        _ bytes: [UInt8], bytesMax: Int, wrapper: Wrapper = .gzip
    ) throws(GzipError) -> [UInt8] {
        var stream = z_stream()
        let status = inflateInit2_(&stream, wrapper.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib does not start: \(status)")
        defer { inflateEnd(&stream) }
        var out: [UInt8] = []
        var source = bytes
        let block = 64 * 1024
        let outcome = source.withUnsafeMutableBufferPointer { input -> Result<Void, GzipError> in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            while true {
                var code = Z_OK
                let piece = [UInt8](unsafeUninitializedCapacity: block) { space, count in
                    stream.next_out = space.baseAddress
                    stream.avail_out = UInt32(block)
                    code = inflate(&stream, Z_NO_FLUSH)
                    count = block - Int(stream.avail_out)
                }
                guard out.count + piece.count <= bytesMax else { return .failure(.tooLarge(bytesMax: bytesMax)) }
                if out.isEmpty { out = piece } else { out.append(contentsOf: piece) }
                if code == Z_STREAM_END { return stream.avail_in == 0 ? .success(()) : .failure(.malformed) }
                guard code == Z_OK, !(piece.isEmpty && stream.avail_in == 0) else { return .failure(.malformed) }
            }
        }
        try outcome.get()
        return out
    }
}
