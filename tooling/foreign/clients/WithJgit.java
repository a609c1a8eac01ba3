// clone URL DIRECTORY | fetch DIRECTORY | push DIRECTORY REF, by JGit.
import java.io.File;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.transport.PushResult;
import org.eclipse.jgit.transport.RefSpec;
import org.eclipse.jgit.transport.RemoteRefUpdate;

public class WithJgit {
  public static void main(String[] args) throws Exception {
    if (args[0].equals("clone")) {
      Git.cloneRepository().setURI(args[1]).setDirectory(new File(args[2])).call().close();
      return;
    }
    try (Git git = Git.open(new File(args[1]))) {
      if (args[0].equals("fetch")) {
        git.fetch().setRemote("origin").call();
        return;
      }
      RefSpec what = new RefSpec(args[2] + ":" + args[2]);
      for (PushResult result : git.push().setRemote("origin").setRefSpecs(what).call())
        for (RemoteRefUpdate update : result.getRemoteUpdates())
          if (update.getStatus() != RemoteRefUpdate.Status.OK) throw new Exception(update.toString());
    }
  }
}
