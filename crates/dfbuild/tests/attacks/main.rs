//! Attacks on builders that have names, each tried on `dfbuild`.
//!
//! | CVE | idea | test |
//! |---|---|---|
//! | CVE-2018-15664, CVE-2020-10696, CVE-2026-28406 | links and `..` of a context lead out of it | `context::links_and_dots_do_not_lead_out` |
//! | CVE-2021-32760, CVE-2020-10696 | an archive of ADD writes outside | `context::an_archive_stays_in_its_destination` |
//! | CVE-2018-15664 | COPY through a link of the image | `context::a_destination_stays_in_the_image` |
//! | CVE-2024-9676 (its kind) | a context with a pipe, a socket, a device that blocks | `context::what_is_no_file_never_blocks` |
//! | CVE-2022-4122, CVE-2022-4123 | `.dockerignore` is a link out of the context | `tests/cli/contexts.rs` |
//! | (patternmatcher 0.6.1) | patterns that panic or take for ever | `context::patterns_take_no_more_than_a_moment` |
//! | CVE-2019-13139, CVE-2026-33748, CVE-2024-32002 | git URLs with options, folders out of the clone, hooks | `tests/cli/remote.rs` |
//! | CVE-2023-26054 | passwords of URLs in images and caches | `tests/cli/remote.rs` |
//! | CVE-2020-15157, CVE-2021-41190, CVE-2024-3727, CVE-2020-1702 | registries | `oci-registry`, `registry/tests/hostile.rs` |
//! | CVE-2024-40635 | `USER 4294967296` becomes root | `dockerfile::numbers_of_users_do_not_overflow` |
//! | CVE-2024-23653 | a Dockerfile gives itself rights | `dockerfile::rights_are_given_by_the_user_only` |
//! | CVE-2024-9407 | unknown options of mounts | `dockerfile::unknown_options_of_mounts_are_refused` |
//! | CVE-2024-9675 | the id of a cache is a path | `dockerfile::the_id_of_a_cache_is_no_path` |
//! | (exhaustion) | 10,000 stages, cycles, 1 MB lines, variables that double | `dockerfile::*` |
//! | CVE-2024-21626 | WORKDIR in `/proc/self/fd` | `run::a_folder_of_the_host_is_no_working_folder` |
//! | CVE-2024-21626, CVE-2021-3602 | descriptors and variables of the host in RUN | `run::nothing_of_the_builder_leaks_in` |
//! | CVE-2022-24769, CVE-2022-27651, CVE-2022-29162 | inheritable capabilities, no filter | `run::a_command_has_few_rights` |
//! | CVE-2019-5736 | RUN overwrites the builder's program | `run::the_builder_itself_is_out_of_reach` |
//! | CVE-2024-1753 | a bind mount of a link to `/` shows the host | `run::a_mounted_link_leads_into_its_image` |
//! | CVE-2024-23651 | a cache mount with a link as its source | `run::a_link_in_a_cache_does_not_lead_out` |
//! | CVE-2024-23652, CVE-2021-30465, CVE-2024-45310 | mount points swapped for links | `run::mount_points_do_not_follow_links` |
//! | CVE-2025-4953 | writes to a mounted context | `run::writes_to_a_mounted_context_go_nowhere` |
//! | CVE-2024-9676 | `/etc/passwd` is a pipe, or a link to the host | `run::accounts_that_are_no_file_do_not_block` |
//! | CVE-2019-16884, CVE-2023-27561, CVE-2025-31133 | `/proc` and `/dev` of the image are links | `run::kernel_folders_that_are_links_are_refused_or_real` |
//! | CVE-2022-2990, CVE-2022-36109, CVE-2023-25173 | groups of the caller, and those that `USER a:b` gives up | `run::groups_are_those_of_the_image` |
//! | CVE-2023-25809 | control groups of the host | `limits::groups_of_this_machine_cannot_be_changed` |
//! | CVE-2024-24557 | an image from elsewhere stands in for a step | `cache::*` |
//! | (exhaustion) | fork bombs, memory, a log of 1 GiB | `limits::*` |
//! | CVE-2024-23651, CVE-2024-45310 | a folder of a cache turns into a link meanwhile | `dockerfile-build`, `solve/mounts.rs` |
//! | CVE-2017-5226 | the command gets at the user's terminal | `tests/cli/containers.rs` |
//! | (secrets) | secrets in layers, history, cache | `run::secrets_stay_out_of_all_that_is_kept` |
//! | CVE-2021-29136, CVE-2018-15664, CVE-2026-17106 | layers with links, `..`, hard links, whiteouts of parents | `layers::hostile_entries_touch_nothing` |
//! | CVE-2025-62518, CVE-2018-20990, CVE-2021-20291, GHSA-rp3h-jf77-q9p4 | headers that differ, absurd sizes, bombs, cut streams | `oci-image`, `tests/layer_round_trip.rs`; `layers::absurd_sizes_are_refused` |
//! | (overlayfs) | marks of overlayfs as attributes in a layer | `layers::marks_of_overlayfs_in_a_layer_do_not_count` |
//! | CVE-2021-41091 | setuid programs in the store | `layers::nobody_else_can_enter_the_store` |

#[allow(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/scratch.rs"]
mod scratch;

mod cache;
mod context;
mod dockerfile;
mod layers;
mod limits;
mod run;
