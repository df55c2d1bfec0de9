/// Lets one task at a time write a frame, so that frames do not mix. For the tasks of one loop: they need no lock.
package final class WriteTurn {
    private var isTaken = false
    private var waiters: [UnsafeContinuation<Void, Never>] = []

    package init() {}

    /// Waits while another task writes. Whoever has taken the turn gives it back.
    package func take() async {
        while isTaken { await withUnsafeContinuation { waiters.append($0) } }
        isTaken = true
    }

    package func giveBack() {
        isTaken = false
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }
}
