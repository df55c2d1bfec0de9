import BlobStore

/// One blob of an object's content.
struct Extent: Sendable {
    let id: BlobID
    let size: Int64
    let checksums: [UInt8]
    /// The bytes when the index holds them.
    let data: [UInt8]?
}

/// The chosen bytes of an object, opened for reading. Files that are still to be opened are kept until it goes.
package final class ObjectContents: Sendable {
    /// Bytes that were checked and may be sent.
    package enum Segment: Sendable {
        case bytes([UInt8])
        case file(FileBytes)
    }

    /// Part of an open file. The descriptor is valid as long as this value, or a copy of it, is held.
    package struct FileBytes: Sendable {
        let file: BlobFile
        package let range: Range<Int64>
        package var descriptor: Int32 { file.descriptor }
    }

    /// Bytes checked before the first of them is sent; see BlobFile.swift.
    private static let checkedAheadBytes: Int64 = 64 << 20
    /// Bytes checked at a time after that.
    private static let stepBytes: Int64 = 8 << 20

    private struct Piece: Sendable {
        let extent: Extent
        /// Within the blob.
        let range: Range<Int64>
        let file: BlobFile?
    }

    /// Which bytes of the object were chosen.
    package let range: Range<Int64>
    private let pieces: [Piece]
    private let blobs: BlobStore
    private let pinned: [BlobID]

    private init(range: Range<Int64>, pieces: [Piece], blobs: BlobStore, pinned: [BlobID]) {
        self.range = range
        self.pieces = pieces
        self.blobs = blobs
        self.pinned = pinned
    }

    deinit { blobs.reclaimer.unpin(pinned) }

    /// Opens `range` of the concatenated extents and checks its beginning. The caller holds a reclaimer's ticket.
    static func open(
        _ extents: [Extent], file: BlobFile?, range: Range<Int64>, blobs: BlobStore
    ) async throws(ObjectError) -> ObjectContents {
        var pieces: [Piece] = []
        var pinned: [BlobID] = []
        var start: Int64 = 0
        for extent in extents {
            let lower = max(range.lowerBound, start) - start
            let upper = min(range.upperBound, start + extent.size) - start
            start += extent.size
            guard lower < upper else { continue }
            let within = lower..<upper
            do {
                if let data = extent.data {
                    try blobs.verifyInline(extent.id, data, checksums: extent.checksums)
                    pieces.append(Piece(extent: extent, range: within, file: nil))
                } else if pieces.isEmpty {
                    let ahead = within.lowerBound..<min(within.upperBound, within.lowerBound + checkedAheadBytes)
                    let opened: BlobFile
                    if let file {
                        opened = file
                        if !file.isVerified(ahead) {
                            try await blobs.onPool { () throws(BlobError) in try file.verify(ahead) }
                        }
                    } else {
                        opened = try await blobs.open(
                            extent.id, size: extent.size, checksums: extent.checksums, verifying: ahead)
                    }
                    pieces.append(Piece(extent: extent, range: within, file: opened))
                } else {
                    pinned.append(extent.id)
                    pieces.append(Piece(extent: extent, range: within, file: nil))
                }
            } catch {
                throw ObjectError(error)
            }
        }
        guard start >= range.upperBound else {
            throw ObjectError(.corrupt, "an object's blobs hold \(start) bytes, its row promises more")
        }
        blobs.reclaimer.pin(pinned)
        return ObjectContents(range: range, pieces: pieces, blobs: blobs, pinned: pinned)
    }

    /// Everything as one segment, when that is possible without another check: small objects, and files up to 64 MiB.
    package var whole: Segment? {
        guard pieces.count == 1, let piece = pieces.first else { return pieces.isEmpty ? .bytes([]) : nil }
        if let data = piece.extent.data { return .bytes(Self.slice(data, piece.range)) }
        guard let file = piece.file, Int64(piece.range.count) <= Self.checkedAheadBytes else { return nil }
        return .file(FileBytes(file: file, range: piece.range))
    }

    /// Gives the segments in order, each checked just before. An error means that no more good bytes come.
    package func forEachSegment(_ body: (Segment) async throws -> Void) async throws {
        for piece in pieces {
            if let data = piece.extent.data {
                try await body(.bytes(Self.slice(data, piece.range)))
                continue
            }
            var file = piece.file
            var position = piece.range.lowerBound
            while position < piece.range.upperBound {
                let step = position..<min(piece.range.upperBound, position + Self.stepBytes)
                let opened = try await checked(piece.extent, file, step)
                file = opened
                try await body(.file(FileBytes(file: opened, range: step)))
                position = step.upperBound
            }
        }
    }

    /// The file of an extent, opened when it is not yet, with the blocks of `range` checked.
    private func checked(
        _ extent: Extent, _ file: BlobFile?, _ range: Range<Int64>
    ) async throws(ObjectError) -> BlobFile {
        do {
            guard let file else {
                return try await blobs.open(extent.id, size: extent.size, checksums: extent.checksums, verifying: range)
            }
            if !file.isVerified(range) { try await blobs.onPool { () throws(BlobError) in try file.verify(range) } }
            return file
        } catch {
            throw ObjectError(error)
        }
    }

    /// Gives the bytes in order, in memory, at most 8 MiB at a time.
    package func forEachChunk(_ body: ([UInt8]) async throws -> Void) async throws {
        try await forEachSegment { segment in
            switch segment {
            case .bytes(let bytes): try await body(bytes)
            case .file(let bytes):
                try await body(try await blobs.onPool { () throws(BlobError) in try bytes.file.read(bytes.range) })
            }
        }
    }

    private static func slice(_ data: [UInt8], _ range: Range<Int64>) -> [UInt8] {
        range.count == data.count ? data : Array(data[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}
