//! What a command sees of the job, and how its start can fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use build_sandbox::{Ending, SandboxError};

use super::{Case, executable, has_other_ids};
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    exit_code_is_that_of_the_command,
    signal_is_told,
    output_and_errors_are_apart,
    large_output_arrives_whole,
    environment_is_exactly_that_of_the_job,
    working_directory_is_entered,
    missing_working_directory_is_told,
    user_and_groups_are_those_of_the_job,
    setuid_program_works,
    hostname_is_that_of_the_job,
    standard_input_is_empty,
    standard_output_can_be_opened_by_another_user,
    missing_program_is_told,
    directory_as_program_is_told,
    program_without_permission_is_told,
    script_without_interpreter_is_told,
    foreign_program_is_told,
    umask_and_new_session,
    orphans_are_reaped,
    usage_is_told,
];

fn exit_code_is_that_of_the_command(place: &Place) {
    assert_eq!(place.run(&place.shell("exit 7")).code(), 7);
}

fn signal_is_told(place: &Place) {
    // From outside: the first process of a pid namespace is deaf to those in it.
    let job = place.job(&["sleep", "98765"]);
    let said = place.run_until(&job, &|| {
        super::life::kill_all("98765");
        false
    });
    assert_eq!(said.outcome.unwrap().ending, Ending::Signal(9));
}

fn output_and_errors_are_apart(place: &Place) {
    let said = place.run(&place.shell("echo a; echo b >&2"));
    assert_eq!((said.out.as_str(), said.err.as_str()), ("a\n", "b\n"));
}

fn large_output_arrives_whole(place: &Place) {
    assert_eq!(place.output("seq 1 200000").lines().count(), 200_000);
}

fn environment_is_exactly_that_of_the_job(place: &Place) {
    let mut job = place.job(&["env"]);
    job.environment.push(("A".to_owned(), "b c".to_owned()));
    assert_eq!(place.output_of(&job), "PATH=/bin\nA=b c\n");
}

fn working_directory_is_entered(place: &Place) {
    let mut job = place.shell("pwd");
    job.working_directory = PathBuf::from("/root");
    assert_eq!(place.output_of(&job), "/root\n");
}

fn missing_working_directory_is_told(place: &Place) {
    let mut job = place.shell("pwd");
    job.working_directory = PathBuf::from("/no/such");
    let path = job.working_directory.clone();
    assert_eq!(
        place.run(&job).error(),
        SandboxError::WorkingDirectoryMissing { path }
    );
}

fn user_and_groups_are_those_of_the_job(place: &Place) {
    let mut job = place.shell("id");
    (job.user, job.group, job.supplementary_groups) = (1000, 1000, vec![2000]);
    if has_other_ids() {
        assert_eq!(
            place.output_of(&job),
            "uid=1000(user) gid=1000(user) groups=2000(extra)\n"
        );
    } else {
        assert!(matches!(
            place.run(&job).error(),
            SandboxError::IdNotMapped { .. }
        ));
    }
}

fn setuid_program_works(place: &Place) {
    if has_other_ids() {
        let copy = place.lower.join("setuid/busybox");
        fs::create_dir(place.lower.join("setuid")).unwrap();
        fs::copy(place.lower.join("bin/busybox"), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
        // Root has an empty password, so su asks for none.
        let users = "root::0:0::/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n";
        fs::write(place.lower.join("etc/passwd"), users).unwrap();
        let mut job = place.job(&["/setuid/busybox", "su", "root", "-c", "id -u"]);
        (job.user, job.group) = (1000, 1000);
        assert_eq!(place.output_of(&job), "0\n");
    }
}

fn hostname_is_that_of_the_job(place: &Place) {
    assert_eq!(place.output("hostname"), "buildkitsandbox\n");
}

fn standard_input_is_empty(place: &Place) {
    assert_eq!(place.output("cat; readlink /proc/self/fd/0"), "/dev/null\n");
}

fn standard_output_can_be_opened_by_another_user(place: &Place) {
    if has_other_ids() {
        let mut job = place.shell("echo x > /dev/stdout; echo y > /dev/stderr");
        (job.user, job.group) = (1000, 1000);
        assert_eq!(place.output_of(&job), "x\n");
    }
}

fn missing_program_is_told(place: &Place) {
    for program in ["/bin/bash", "bash"] {
        let error = place.run(&place.job(&[program])).error();
        assert_eq!(
            error.to_string(),
            format!("`{program}` is not in the image")
        );
    }
}

fn directory_as_program_is_told(place: &Place) {
    assert!(matches!(
        place.run(&place.job(&["/etc"])).error(),
        SandboxError::ProgramIsDirectory { .. }
    ));
}

fn program_without_permission_is_told(place: &Place) {
    assert!(matches!(
        place.run(&place.job(&["/etc/passwd"])).error(),
        SandboxError::ProgramNotExecutable { .. }
    ));
}

fn script_without_interpreter_is_told(place: &Place) {
    executable(place, b"#!/bin/bash\n");
    assert!(matches!(
        place.run(&place.job(&["/program"])).error(),
        SandboxError::InterpreterMissing { .. }
    ));
}

fn foreign_program_is_told(place: &Place) {
    let mut program = fs::read("/bin/busybox").unwrap();
    // The machine of an ELF header: s390.
    program[18] = 22;
    executable(place, &program);
    assert!(matches!(
        place.run(&place.job(&["/program"])).error(),
        SandboxError::ForeignProgram { .. }
    ));
}

fn umask_and_new_session(place: &Place) {
    assert_eq!(place.output("umask; stat -c %a /etc/hosts"), "0022\n644\n");
}

fn orphans_are_reaped(place: &Place) {
    let out = place.output("(sleep 0.05 &) ; (sleep 0.05 &) ; sleep 0.4; grep -l '^State:.Z' /proc/[0-9]*/status || true");
    assert_eq!(out, "");
}

fn usage_is_told(place: &Place) {
    let usage = place
        .run(&place.shell("seq 1 100000 > /dev/null"))
        .outcome
        .unwrap()
        .usage;
    assert!(usage.peak_memory > 100_000 && usage.user_time + usage.system_time > Duration::ZERO);
}
