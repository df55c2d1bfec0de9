// The console's files, compiled into the binary. Each has an ETag of its bytes, so that a browser asks again and is told
// that nothing changed; a new binary is seen at once. Compressed forms are made when first asked for.

import Bytes
import CConsoleAssets
import Digests
import EventLoop
import Formats
import HTTP
import Synchronization

/// Serves the files of the web interface.
final class ConsoleAssets: Sendable {
    private struct Asset: Sendable {
        let bytes: [UInt8]
        let etag: String
        let mediaType: String
    }

    private let assets: [String: Asset]
    private let compressed = Mutex<[String: [UInt8]]>([:])
    private let pool = BlockingPool(name: "assets", threadCount: 1, backlogCountMax: 256)

    init() {
        var assets: [String: Asset] = [:]
        for index in 0..<slipway_console_asset_count() {
            guard let entry = slipway_console_asset_at(index)?.pointee else { continue }
            let name = String(cString: entry.name)
            let bytes = Array(UnsafeBufferPointer(start: entry.bytes, count: entry.length))
            let etag = "\"\(Hex.encode(SHA256.hash(bytes).prefix(16)))\""
            assets[name] = Asset(bytes: bytes, etag: etag, mediaType: Self.mediaType(name))
        }
        self.assets = assets
    }

    var names: [String] { assets.keys.sorted() }

    /// The file called `name`, whole, compressed, or as "not modified"; nil when there is none.
    func response(_ name: String, to request: Request) async throws -> Response? {
        guard let asset = assets[name] else { return nil }
        var response = Response(contentType: asset.mediaType, asset.bytes)
        response.fields.append("ETag", asset.etag)
        response.fields.append("Cache-Control", "no-cache")
        response.fields.append("Vary", "Accept-Encoding")
        if request.fields.contains(token: asset.etag, in: "If-None-Match") {
            response.fields["Content-Type"] = nil
            response.status = .notModified
            response.body = .empty
        } else if asset.bytes.count > 1024, Self.acceptsGzip(request.fields) {
            response.fields.append("Content-Encoding", "gzip")
            response.body = .bytes(try await compress(name, asset.bytes))
        }
        return response
    }

    private func compress(_ name: String, _ bytes: [UInt8]) async throws -> [UInt8] {
        if let made = compressed.withLock({ $0[name] }) { return made }
        let made = try await pool.run { Gzip.compress(bytes, level: 6) }
        compressed.withLock { $0[name] = made }
        return made
    }

    /// True when gzip is listed and not with a weight of zero (RFC 9110 section 12.5.3).
    static func acceptsGzip(_ fields: HTTPFields) -> Bool {
        fields.values("Accept-Encoding").joined(separator: ",").lowercased().pieces(by: ",").contains { item in
            let parts = item.pieces(by: ";").map { $0.filter { $0 != " " } }
            guard parts.first == "gzip" else { return false }
            return !parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
        }
    }

    private static func mediaType(_ name: String) -> String {
        switch name.pieces(by: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }
}
