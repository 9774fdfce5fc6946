//! Three processes that commit to one repository on a git server.

use std::os::unix::fs::symlink;

use crate::checks;
use crate::fleet::{Fleet, Stores};
use crate::git_servers::{Bare, HttpServer, TOKEN};
use crate::harness::Server;
use crate::{BAR, N_KILLS, N_PROCESSES, SHORT_LEASES, kill_again_and_again, objects, under_load};

#[test]
fn processes_commit_to_one_repository_on_a_server_however_often_they_are_killed() {
    let (stores, server) = (Stores::shared(), HttpServer::start());
    let bare = Bare::new(&server.root(), "deployments.git");
    let url = format!("http://127.0.0.1:{}/git/deployments.git", server.port());
    let git = [("ORBIT_GIT__URL", url.as_str()), ("ORBIT_GIT__TOKEN", TOKEN)];
    let variables: Vec<_> = SHORT_LEASES.iter().copied().chain(git).collect();
    let mut fleet = Fleet::start(&stores, ("git", N_PROCESSES), &variables);
    let first = fleet.server(0);
    assert!(!first.data().join("repository.git").exists(), "there is one in the directory as well");
    // Where the checks look for it.
    symlink(bare.path(), first.data().join("repository.git")).unwrap();
    assert!(bare.show("argocd/applicationset-production.yaml").contains(&url));

    let talks = under_load(&mut fleet, |fleet, clients, dice| {
        kill_again_and_again(fleet, clients, dice, N_KILLS / 2);
        // The server is away, and comes back; what was accepted waits.
        server.stop();
        let answer = fleet.server(1).get("/readyz");
        let said = answer.expect(503)["detail"].as_str().unwrap().to_owned();
        assert_eq!(said, "these do not answer: GitOps repository");
        server.start_again();
        fleet.wait_until_ready(1);
        kill_again_and_again(fleet, clients, dice, N_KILLS / 2);
    });
    let last: &Server = fleet.server(0);
    checks::wait_until_nothing_runs(last);
    checks::check(last, &talks, &BAR);
    let found = objects::all(&stores, fleet.suffix());
    checks::check_objects(last, &objects::without_late_writes(last, &found));
    let logs = fleet.logs();
    assert!(logs.contains("Resumed action "), "no kill was in any action's way");
    assert!(!logs.contains(TOKEN), "the token is in a log");
    bare.fsck();
}
