// zlib streams that go on from one block to the next, begun with a dictionary that both sides know: how SPDY writes header
// blocks.

import CZlib

/// Decompresses the blocks of one stream, in order. Confined to one task at a time.
package final class DictionaryInflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let dictionary: [UInt8]

    package init(dictionary: [UInt8]) {
        self.dictionary = dictionary
        stream.initialize(to: z_stream())
        let status = inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib does not start: \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// What the next block holds, at most `bytesMax` bytes. After a failure the stream cannot be used again.
    package func decompress(_ block: [UInt8], bytesMax: Int) throws(GzipError) -> [UInt8] {
        var source = block
        var out = [UInt8](repeating: 0, count: bytesMax)
        let count = source.withUnsafeMutableBufferPointer { input -> Int? in
            out.withUnsafeMutableBufferPointer { output -> Int? in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                var code = inflate(stream, Z_SYNC_FLUSH)
                if code == Z_NEED_DICT {
                    guard inflateSetDictionary(stream, dictionary, UInt32(dictionary.count)) == Z_OK else { return nil }
                    code = inflate(stream, Z_SYNC_FLUSH)
                }
                guard code == Z_OK || code == Z_BUF_ERROR, stream.pointee.avail_in == 0 else { return nil }
                return output.count - Int(stream.pointee.avail_out)
            }
        }
        guard let count else { throw .malformed }
        guard count < bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
        return Array(out[..<count])
    }
}

/// Compresses the blocks of one stream, in order. Confined to one task at a time.
package final class DictionaryDeflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    package init(dictionary: [UInt8]) {
        stream.initialize(to: z_stream())
        var status = deflateInit_(stream, 1, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if status == Z_OK { status = deflateSetDictionary(stream, dictionary, UInt32(dictionary.count)) }
        precondition(status == Z_OK, "zlib does not start: \(status)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    package func compress(_ block: [UInt8]) -> [UInt8] {
        var source = block
        // What a block grows by at most, with the marks of its end.
        let bound = Int(deflateBound(stream, UInt(block.count))) + 64
        return [UInt8](unsafeUninitializedCapacity: bound) { out, count in
            source.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = out.baseAddress
                stream.pointee.avail_out = UInt32(out.count)
                _ = deflate(stream, Z_SYNC_FLUSH)
            }
            count = bound - Int(stream.pointee.avail_out)
        }
    }
}
