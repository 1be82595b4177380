// @ts-check
import { BuildAction } from '@nestjs/cli/actions/build.action.js';

/**
 * `nest build --watch --watchAssets` in the working directory, as a child process: it sends its parent a message after
 * every build without errors and after every change of an asset, and ends with the parent.
 */
class WatchingBuild extends BuildAction {
  /** @override */
  createAssetsManager() {
    const manager = super.createAssetsManager();
    const copyAssets = manager.copyAssets.bind(manager);
    manager.copyAssets = (configuration, app, outDir, watch, onSuccess, rootDir) => {
      // (Each manager copies an asset once.)
      const copyNow = () =>
        super.createAssetsManager().copyAssets(configuration, app, outDir, false, undefined, rootDir);
      // Watching copies in the background: at first too late, and later perhaps a file that is only half written.
      copyNow();
      const changed = onSuccess && (() => (copyNow(), onSuccess()));
      copyAssets(configuration, app, outDir, watch, changed, rootDir);
    };
    return manager;
  }
}

process.once('disconnect', () => process.exit());
const onSuccess = () => process.send?.('built');
await new WatchingBuild().runBuild([], { preserveWatchOutput: true }, true, true, false, onSuccess);
