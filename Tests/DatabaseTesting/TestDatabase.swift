// Databases for tests, one of its own for each test and engine: files in temporary folders, and databases of one
// PostgreSQL server that starts with the first test that wants it and ends with the test process.

import Bytes
package import Database
import Foundation
import Glibc

/// Which database a test runs on.
package enum TestEngine: String, Sendable, CaseIterable {
    case sqlite = "SQLite"
    case postgres = "PostgreSQL"

    /// PostgreSQL only where its server is installed.
    package static let available: [TestEngine] = TestPostgres.isInstalled ? allCases : [.sqlite]
}

/// An empty database that lives as long as the test that made it.
package final class TestDatabase: Sendable {
    package let location: DatabaseLocation
    private let folder: String?

    package init(_ engine: TestEngine) throws {
        let name = "t\(Randomness.hexID())"
        switch engine {
        case .sqlite:
            let folder = "/tmp/slipway-database-\(name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            self.folder = folder
            location = .file("\(folder)/test.db")
        case .postgres:
            folder = nil
            location = .server(try TestPostgres.shared.get().makeDatabase(name))
        }
    }

    deinit {
        if let folder { try? FileManager.default.removeItem(atPath: folder) }
    }
}

/// A PostgreSQL server that `scripts/postgres` runs.
package struct TestPostgres: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let folder: String
    package let address: PostgresAddress

    /// The server that tests share.
    package static let shared = Result { try TestPostgres(for: ProcessInfo.processInfo.processIdentifier) }

    package static var isInstalled: Bool {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.contains {
            FileManager.default.isExecutableFile(atPath: "/usr/lib/postgresql/\($0)/bin/initdb")
        }
    }

    private static let script = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("scripts/postgres").path

    /// Starts a server that ends with the process `process`.
    package init(for process: Int32) throws {
        let port = try Self.freePort()
        let words = ["start", "\(port)", "tester", "p@ss/word:%", "first", "\(process)"]
        folder = try Self.run(words).split(separator: "\n").last.map(String.init) ?? ""
        address = PostgresAddress(
            host: "127.0.0.1", port: port, user: "tester", password: "p@ss/word:%", database: "first")
    }

    /// Makes an empty database.
    package func makeDatabase(_ name: String) throws -> PostgresAddress {
        _ = try Self.run(["database", folder, name])
        var copy = address
        copy.database = name
        return copy
    }

    /// Stops the server and starts it again; `immediate` as a crash does.
    package func restart(immediate: Bool) throws {
        _ = try Self.run(["restart", folder, immediate ? "immediate" : "fast"])
    }

    package func stop() throws { _ = try Self.run(["stop", folder]) }

    /// Runs the script and returns what it prints.
    private static func run(_ words: [String]) throws -> String {
        let command = ([script] + words).map { "'\($0)'" }.joined(separator: " ")
        guard let stream = popen("\(command) < /dev/null", "r") else {
            throw Failure(description: "cannot start a shell")
        }
        var text: [UInt8] = []
        while case let byte = fgetc(stream), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
        guard pclose(stream) == 0 else { throw Failure(description: "scripts/postgres \(words[0]) failed") }
        return String(decoding: text, as: UTF8.self)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
