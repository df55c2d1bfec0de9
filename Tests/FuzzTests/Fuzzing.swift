// The harness of every fuzz test: seeded, bounded in number and time, and told apart by a name. Inputs are corpus entries,
// mutated, and wholly random bytes. `SLIPWAY_FUZZ_SEED=… swift test --filter FuzzTests` runs the same inputs again. An
// input that ends the process or throws is kept in Corpus/NAME, which every later run begins with.

import Foundation
import Testing

/// A small, fast generator whose sequence depends on its seed alone (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

enum Fuzzing {
    private static let environment = ProcessInfo.processInfo.environment

    /// Inputs for each parser: 2,000, or `SLIPWAY_FUZZ_ITERATIONS`.
    static let iterations = environment["SLIPWAY_FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 2000

    /// How long each parser is fuzzed at most: 10 s, or `SLIPWAY_FUZZ_SECONDS`.
    static let seconds = environment["SLIPWAY_FUZZ_SECONDS"].flatMap { Double($0) } ?? 10

    /// `SLIPWAY_FUZZ_SEED`, or one drawn for this run.
    static let seed =
        environment["SLIPWAY_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64(Int64.max))

    /// Gives `body` the corpus entries of `name`, `samples` and `bytes`, then mutations of them and random bytes.
    static func run(
        _ name: String, samples: [String] = [], bytes: [[UInt8]] = [],
        _ body: (_ input: [UInt8], _ random: inout SeededGenerator) throws -> Void
    ) throws {
        print("fuzzing \(name): SLIPWAY_FUZZ_SEED=\(seed)")
        let corpus = Corpus(name)
        corpus.adoptInputOfACrash()
        var random = SeededGenerator(seed: seed)
        let entries = samples.map { Array($0.utf8) } + bytes + corpus.entries
        let running = try RunningInput(corpus.runningFile)
        let deadline = Date(timeIntervalSinceNow: seconds)
        var inputs = entries[...]
        var count = 0
        while !inputs.isEmpty || (count < iterations && (count % 64 != 0 || Date() < deadline)) {
            let input = inputs.popFirst() ?? make(from: entries, &random)
            running.set(input)
            do { try body(input, &random) } catch {
                corpus.keep(input)
                throw error
            }
            count += 1
        }
        running.end()
        print("fuzzed \(name): \(count) inputs")
    }

    private static func make(from entries: [[UInt8]], _ random: inout SeededGenerator) -> [UInt8] {
        entries.isEmpty || Int.random(in: 0..<10, using: &random) == 0
            ? randomBytes(&random)
            : mutate(entries[Int.random(in: 0..<entries.count, using: &random)], entries, &random)
    }

    private static func randomBytes(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    private static func mutate(_ entry: [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = entry
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0 where !bytes.isEmpty: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1 where !bytes.isEmpty: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2 where !bytes.isEmpty: bytes.remove(at: index)
            case 3:
                bytes.insert(Array("\r\n\0\"{}[]:,;= \\<>&%+-0x9".utf8).randomElement(using: &random) ?? 0, at: index)
            case 4 where !bytes.isEmpty: bytes = Array(bytes[..<index])
            // What `String` joins to the character before it.
            case 7:
                bytes.insert(
                    contentsOf: (["\u{301}", "\u{200d}", "\r\n"].randomElement(using: &random) ?? "").utf8, at: index)
            case 5:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
                bytes = Array(bytes.prefix(index)) + other.suffix(Int.random(in: 0...other.count, using: &random))
            default:
                let end = min(bytes.count, index + Int.random(in: 0...20, using: &random))
                if index < end { bytes.insert(contentsOf: bytes[index..<end], at: index) }
            }
        }
        return bytes
    }
}
