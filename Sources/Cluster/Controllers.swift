// The controllers of the cluster, started together: claims, pods, workflows. Each works from objects and files alone, so
// starting them after a crash goes on where the last server stopped.

import Log
package import Runner
import Synchronization

/// What controllers may be told besides the objects.
package struct ControllerSettings: Sendable {
    /// The platform's data folder, absolute; the controllers use `cluster/` in it.
    package var dataFolder: String
    /// Folders that may hold `python/NAME/bin`: environments for the images `slipway/python-NAME`.
    package var runtimeFolders: [String] = []
    /// Folders of the host that pods may mount with `hostPath`.
    package var hostPaths: [String] = []
    /// Variables every container gets before its own.
    package var environment: [(name: String, value: String)] = []

    package init(dataFolder: String) { self.dataFolder = dataFolder }
}

/// The running controllers.
package final class Controllers: Sendable {
    /// Logs of pods.
    package let logs: PodLogFiles
    /// How steps are kept apart from the host.
    package let isolation: Isolation
    private let pods: PodController
    private let tasks: Mutex<[Task<Void, Never>]>

    private init(logs: PodLogFiles, isolation: Isolation, pods: PodController, tasks: [Task<Void, Never>]) {
        self.logs = logs
        self.isolation = isolation
        self.pods = pods
        self.tasks = Mutex(tasks)
    }

    /// Starts all controllers on the objects of `store`. Throws when the data folder cannot be used or `images.json` is
    /// wrong. Call it early: a small process is forked here, and the less this one has done, the smaller it is.
    package static func start(store: ResourceStore, settings: ControllerSettings) async throws -> Controllers {
        let folders = ClusterFolders(data: settings.dataFolder)
        for folder in [folders.images, folders.volumes, folders.pods, folders.artifacts] {
            try FileTools.makeFolder(folder, mode: 0o755)
        }
        let runner = try StepRunner(folder: folders.runner)
        let images = try ImageTable.standard(folders: folders, runtimes: settings.runtimeFolders)
        let table = ImageTableCache(folders: folders, runtimes: settings.runtimeFolders, table: images)
        let files = FilePool()
        let context = PodContext(
            store: store, runner: runner, files: files,
            settings: {
                var pods = PodSettings(folders: folders, images: table.current())
                pods.hostPaths = settings.hostPaths
                pods.environment = settings.environment
                return pods
            }, reloadImages: { table.reload() })
        let pods = PodController(context: context)
        let claims = ClaimController(context: context)
        let workflows = WorkflowController(context: context)
        // Detached: they serve the whole process and end with `shutdown`.
        let tasks = [
            Task.detached { await claims.run() }, Task.detached { await pods.run() },
            Task.detached { await workflows.run() },
        ]
        let logs = PodLogFiles(store: store, folders: folders, files: files)
        return Controllers(logs: logs, isolation: runner.isolation, pods: pods, tasks: tasks)
    }

    /// Ends every process of every pod, SIGKILL after the grace period, and then the controllers. Pods that were running
    /// end Failed with reason `Terminated`.
    package func shutdown(gracePeriodMilliseconds: Int = 1000) async {
        let all = tasks.withLock { $0 }
        // Workflows first, or they would start the next step of what is stopped here.
        for task in all.suffix(1) { task.cancel() }
        await pods.shutdown(gracePeriodMilliseconds: gracePeriodMilliseconds)
        for task in all { task.cancel() }
    }
}

/// The image table, read again when its file changed.
final class ImageTableCache: Sendable {
    private let folders: ClusterFolders
    private let runtimes: [String]
    private let state: Mutex<(table: ImageTable, text: [UInt8]?)>
    private let logger = Logger(role: "cluster")

    init(folders: ClusterFolders, runtimes: [String], table: ImageTable) {
        self.folders = folders
        self.runtimes = runtimes
        state = Mutex((table, FileTools.read(folders.imageTable)))
    }

    func current() -> ImageTable { state.withLock { $0.table } }

    /// Reads the table's file, and keeps the table that is when the file is wrong. Blocks.
    func reload() {
        let text = FileTools.read(folders.imageTable)
        guard state.withLock({ $0.text != text }) else { return }
        do {
            let table = try ImageTable.standard(folders: folders, runtimes: runtimes)
            state.withLock { $0 = (table, text) }
        } catch {
            logger.warning("the image table was not read again", [("reason", "\(error)")])
            state.withLock { $0.text = text }
        }
    }
}
