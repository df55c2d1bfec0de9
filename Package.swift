// swift-tools-version: 6.2
// The manifest is the architecture diagram: arrows point down only, and each `dependencies:` list is as
// narrow as the target's job. docs/ARCHITECTURE.md tells the same story in words.

import PackageDescription

/// Settings that every Swift target shares.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // Release builds skip the dynamic exclusivity checks: about 3 % of a small request. Debug builds and tests keep them.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func systemLibrary(_ name: String, pkgConfig: String, debian package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "slipway",
    products: [.executable(name: "slipway", targets: ["slipway"])],
    targets: [
        // The executable: one file over Commands.
        .executableTarget(name: "slipway", dependencies: ["Commands"], swiftSettings: settings),

        // Flags, wiring, supervisor, progress output: the only target that sees everything.
        layer(
            "Commands",
            [
                "RegistryAPI", "MC", "S3API", "MLflowAPI", "InferenceAPI", "PackAPI", "KubernetesAPI", "Console",
                "Objects",
                "Tracking",
                "Inference", "Packs", "PythonWorkers", "Processes", "Files", "Runtimes", "Cluster", "ObjectClient",
                "HTTPClient",
                "Database",
                "Signatures", "Server", "HTTP", "EventLoop",
                "Formats", "Log", "Metrics", "Clock", "Bytes", "CLinux", "CVersion", "CLinkedVersions",
                "Serving", "Ingress", "Images",
            ]),

        // Wire formats, routes and error mapping of one protocol each; they never import one another.
        layer(
            "S3API",
            [
                "Objects", "Signatures", "Server", "HTTP", "Formats", "Digests", "Log", "Metrics", "Clock", "Bytes",
            ]),
        layer(
            "MLflowAPI",
            [
                "Tracking", "ObjectClient", "HTTPClient", "Server", "HTTP", "EventLoop", "Formats", "Files", "Log",
                "Metrics", "Clock", "Bytes",
            ]),
        layer(
            "RegistryAPI",
            ["Objects", "OCI", "Server", "HTTP", "Formats", "Digests", "Log", "Metrics", "Clock", "Bytes"]),
        layer("InferenceAPI", ["Inference", "Runtimes", "Server", "HTTP", "Formats", "Metrics", "Bytes"]),
        layer("PackAPI", ["Packs", "Server", "HTTP", "Formats", "Log", "Metrics", "Clock", "Bytes"]),
        layer("KubernetesAPI", ["Cluster", "Server", "HTTP", "Formats", "Digests", "Metrics", "Clock", "Bytes"]),

        // The web console: its files, sessions, and a proxy to the other roles by their public protocols.
        layer(
            "Console",
            [
                "HTTPClient", "Signatures", "Server", "HTTP", "EventLoop", "Formats", "Digests", "Files", "Log",
                "Metrics",
                "Clock",
                "Bytes",
                "CConsoleAssets",
            ]),

        // A client of object stores with mc's command line; it stands beside the servers and knows none of them.
        layer("MC", ["ObjectClient", "Signatures", "HTTPClient", "HTTP", "Formats", "Files", "Clock", "Bytes"]),

        // Domains: values and rules; no HTTP, no wire names.
        layer("Objects", ["BlobStore", "Database", "EventLoop", "Digests", "Log", "Clock", "Bytes"]),
        layer("Tracking", ["Database", "Clock", "Bytes"]),
        // InferenceServices as pods with models in them; the port whose Host names choose among them.
        layer(
            "Serving",
            [
                "Cluster", "Files", "ObjectClient", "HTTPClient", "HTTP", "Signatures", "EventLoop", "Formats", "Log",
                "Clock", "Bytes",
            ]),
        layer("Ingress", ["Serving", "Cluster", "HTTPClient", "HTTP", "Formats", "Bytes"]),
        layer("Inference", ["Runtimes", "ObjectClient", "EventLoop", "Formats", "Files", "Log", "Clock", "Bytes"]),
        layer(
            "Packs",
            [
                "PythonWorkers", "Archives", "ObjectClient", "HTTPClient", "EventLoop", "Formats", "Digests", "Files",
                "Log", "Clock", "Bytes",
            ]),
        layer(
            "Cluster",
            [
                "Runner", "Images", "OCI", "Files", "Processes", "Database", "EventLoop", "Formats", "Log", "Clock",
                "Bytes",
            ]),

        // What the domains stand on: durable bytes, native model runtimes, processes.
        layer("BlobStore", ["EventLoop", "Digests", "Files", "Log", "Bytes", "CLinux"]),
        layer("Runtimes", ["Formats", "Files", "Bytes", "COnnxRuntime", "COpenVINO"]),
        layer("Runner", ["Files", "EventLoop", "Formats", "Log", "Clock", "Bytes", "CLinux", "CStep"]),

        // Images: their names and documents, and those of this machine.
        layer(
            "Images",
            [
                "OCI", "Archives", "Files", "HTTPClient", "HTTP", "EventLoop", "Formats", "Digests", "Log", "Bytes",
                "CLinux",
            ]),
        layer("OCI", ["Formats", "Bytes"]),

        // What people wrote: archives, and Python in processes of its own.
        layer("Archives", ["Files", "Bytes", "CArchive", "CLinux"]),
        layer(
            "PythonWorkers",
            ["Processes", "EventLoop", "Formats", "Log", "Clock", "Bytes", "CLinux", "CPythonWorker"]),

        // Rows that survive a crash (SQLite, PostgreSQL), an S3 client for the local store or any other, an HTTP client.
        layer("Database", ["EventLoop", "Clock", "Bytes", "CSQLite", "CPostgres"]),
        layer("ObjectClient", ["HTTPClient", "HTTP", "Signatures", "Formats", "Digests", "Clock", "Bytes"]),
        layer("HTTPClient", ["HTTP", "EventLoop", "Bytes", "CCurl"]),
        layer("Signatures", ["HTTP", "Digests", "Clock", "Bytes"]),

        // The server: router, middleware, limits, metrics -> HTTP messages and protocols -> event loop, TLS.
        layer("Server", ["HTTP", "EventLoop", "Formats", "Digests", "Log", "Metrics", "Clock", "Bytes", "CNghttp2"]),
        layer("HTTP", ["Clock", "Bytes"]),
        layer("EventLoop", ["Clock", "CLinux", "COpenSSL"]),

        // Formats and the small things everything uses. No Foundation.
        layer("Formats", ["Bytes", "CSimdjson", "CYAML", "CZlib"]),
        layer("Digests", ["COpenSSL", "CChecksums"]),
        layer("Metrics", ["Bytes"]),
        layer("Log", ["Clock", "Bytes"]),
        layer("Files", ["Bytes"]),
        layer("Processes", ["Files", "Bytes", "CLinux"]),
        layer("Clock", ["Bytes"]),
        layer("Bytes"),

        // Benchmarks: the network core alone, measured beside its peers.
        .executableTarget(
            name: "netfixture", dependencies: ["Server", "HTTP", "EventLoop"], path: "Benchmarks/netfixture",
            swiftSettings: settings),

        // Tests. ServerTesting runs one test body in process and over a socket.
        .target(
            name: "ServerTesting", dependencies: ["Server", "HTTP", "EventLoop", "Bytes"], path: "Tests/ServerTesting",
            swiftSettings: settings),
        // DatabaseTesting gives each test a database of either engine.
        .target(
            name: "DatabaseTesting", dependencies: ["Database", "Bytes"], path: "Tests/DatabaseTesting",
            swiftSettings: settings),
        .target(name: "TestFolders", path: "Tests/TestFolders", swiftSettings: settings),
        tests("Bytes", []),
        tests("BlobStore", ["EventLoop", "TestFolders"]),
        tests("Clock", []),
        tests(
            "Cluster",
            [
                "Runner", "Images", "OCI", "Processes", "Database", "EventLoop", "Formats", "Clock", "Bytes",
                "TestFolders",
            ]),
        tests("Runner", ["Files", "Processes", "Clock", "Bytes", "TestFolders"]),
        tests("Database", ["DatabaseTesting", "EventLoop", "Bytes", "TestFolders"]),
        tests("Digests", ["Bytes"]),
        tests("Files", ["TestFolders"]),
        tests("Formats", []),
        tests("HTTP", ["Bytes"]),
        tests(
            "KubernetesAPI", ["Cluster", "Database", "Server", "HTTP", "Formats", "Clock", "Bytes", "ServerTesting"]),
        tests("Inference", ["Runtimes", "EventLoop", "Formats", "Clock", "Bytes"]),
        tests("InferenceAPI", ["Inference", "Runtimes", "EventLoop", "Formats", "HTTP", "ServerTesting", "Bytes"]),
        tests("Runtimes", ["Formats", "Bytes"]),
        tests("EventLoop", []),
        .target(name: "ArchiveTesting", path: "Tests/ArchiveTesting", swiftSettings: settings),
        tests("Archives", ["ArchiveTesting", "TestFolders", "CLinux"]),
        tests("Packs", ["Archives", "ArchiveTesting"]),
        tests("PackAPI", ["Packs", "PythonWorkers", "HTTP", "EventLoop", "Log"]),
        tests("PythonWorkers", ["Log"]),
        tests("Serving", ["Cluster", "ObjectClient", "Signatures", "Formats"]),
        tests("Server", ["HTTP", "EventLoop", "Formats", "Metrics", "Bytes", "ServerTesting"]),

        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "RegistryAPI", "OCI", "S3API", "Objects", "Tracking", "Console", "Database", "Formats", "HTTP",
                "Signatures",
                "Clock",
                "Bytes",
                "KubernetesAPI", "Cluster", "InferenceAPI", "Inference", "Runtimes", "Server", "EventLoop", "PackAPI",
                "Packs", "Archives", "ArchiveTesting", "HTTPClient", "Images",
            ],
            exclude: ["Corpus"], swiftSettings: settings),

        // C: one target per library, holding only what Swift cannot call by itself.
        .target(name: "CLinux"),
        .target(name: "CStep"),
        .target(name: "CVersion"),
        .target(name: "CConsoleAssets", exclude: ["assets"]),
        .target(
            name: "CLinkedVersions",
            linkerSettings: ["ssl", "crypto", "nghttp2", "sqlite3", "curl", "z", "yaml"].map { .linkedLibrary($0) }),
        .target(name: "CChecksums"),
        .target(
            name: "CSimdjson", cxxSettings: [.unsafeFlags(["-w"])], linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "COnnxRuntime"),
        .target(name: "COpenVINO"),
        .target(name: "CPostgres"),
        .target(name: "CPythonWorker"),
        systemLibrary("COpenSSL", pkgConfig: "openssl", debian: "libssl-dev"),
        systemLibrary("CNghttp2", pkgConfig: "libnghttp2", debian: "libnghttp2-dev"),
        systemLibrary("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
        systemLibrary("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
        systemLibrary("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        systemLibrary("CArchive", pkgConfig: "libarchive", debian: "libarchive-dev"),
        systemLibrary("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),

        // Tests mirror Sources.
        tests("Objects", ["BlobStore", "Database", "EventLoop", "Digests", "Clock", "Bytes", "TestFolders"]),
        tests("Signatures", ["HTTP", "Clock", "Bytes"]),
        tests(
            "S3API",
            [
                "Objects", "Signatures", "ServerTesting", "HTTP", "EventLoop", "Digests", "Metrics", "Clock", "Bytes",
                "TestFolders",
            ]),
        tests("HTTPClient", ["HTTP", "ServerTesting"]),
        tests(
            "ObjectClient",
            [
                "S3API", "Objects", "Signatures", "Server", "ServerTesting", "HTTPClient", "HTTP", "EventLoop",
                "Metrics",
                "TestFolders",
            ]),
        tests("MC", []),
        tests("RegistryAPI", []),
        tests("OCI", ["Formats"]),
        tests(
            "Images",
            ["OCI", "Files", "HTTPClient", "Server", "HTTP", "EventLoop", "Formats", "Digests", "TestFolders"]),
        tests("Tracking", ["Database", "DatabaseTesting"]),
        tests("MLflowAPI", ["Tracking", "Server", "ServerTesting", "HTTP", "EventLoop", "Formats", "Bytes"]),
        tests("Console", ["Signatures", "Server", "ServerTesting", "HTTP", "Clock", "Bytes"]),
        tests("Commands", ["Clock", "Formats"]),
        .testTarget(name: "TidyTests", swiftSettings: settings),
    ],
    cLanguageStandard: .gnu2x,
    cxxLanguageStandard: .gnucxx20
)
