import Glibc

/// Free TCP ports on 127.0.0.1.
enum LoopbackPorts {
    /// `count` different ports that nobody listens on at this moment; nil when the system gives none.
    static func free(_ count: Int) -> [Int]? {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        var ports: [Int] = []
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return nil }
            descriptors.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                    bind(descriptor, general, length) == 0 && getsockname(descriptor, general, &length) == 0
                }
            }
            guard status else { return nil }
            ports.append(Int(UInt16(bigEndian: address.sin_port)))
        }
        return ports
    }
}
