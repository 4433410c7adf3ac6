"""The catalogue of rules, in order of work: each needs what those before it do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.rules.advice import (
    add_instead_of_copy,
    default_namespace,
    missing_network_policy,
    missing_resources,
    pipe_without_pipefail,
)
from hardhull.rules.filesystem import (
    diagnostics_on_read_only_root,
    missing_fs_group,
    writable_root_filesystem,
)
from hardhull.rules.images import (
    end_of_life_runtime,
    latest_tag,
    obsolete_hardening_script,
    public_base_image,
    renamed_image_repository,
    sdk_image_at_run_time,
    secret_in_build_argument,
    secret_in_environment,
    stale_digest,
    tag_no_longer_rebuilt,
    unpinned_image,
)
from hardhull.rules.ports import (
    port_nobody_listens_on,
    privileged_port,
    published_on_privileged_port,
)
from hardhull.rules.privileges import (
    apparmor_annotation,
    capabilities_not_dropped,
    dangerous_capabilities,
    docker_socket,
    host_namespaces,
    host_path,
    host_port,
    host_process,
    missing_seccomp_profile,
    privilege_escalation,
    privileged_container,
    probe_host,
    restricted_volume_type,
    service_account_token,
    unconfined_apparmor,
    unsafe_proc_mount,
    unsafe_selinux_options,
    unsafe_sysctls,
)
from hardhull.rules.repository import (
    missing_dockerignore,
    no_update_automation,
    stale_suppression,
    unenforced_pod_security,
)
from hardhull.rules.user import (
    image_runs_as_root,
    image_user_by_name,
    published_as_root,
    workload_may_run_as_root,
)

if TYPE_CHECKING:
    from hardhull.model import Rule

RULES: tuple[Rule, ...] = (
    renamed_image_repository.RULE,
    public_base_image.RULE,
    privileged_port.RULE,
    port_nobody_listens_on.RULE,
    published_on_privileged_port.RULE,
    image_runs_as_root.RULE,
    published_as_root.RULE,
    image_user_by_name.RULE,
    workload_may_run_as_root.RULE,
    privileged_container.RULE,
    dangerous_capabilities.RULE,
    capabilities_not_dropped.RULE,
    privilege_escalation.RULE,
    missing_seccomp_profile.RULE,
    unconfined_apparmor.RULE,
    apparmor_annotation.RULE,
    unsafe_proc_mount.RULE,
    unsafe_sysctls.RULE,
    unsafe_selinux_options.RULE,
    host_process.RULE,
    probe_host.RULE,
    host_namespaces.RULE,
    host_port.RULE,
    host_path.RULE,
    restricted_volume_type.RULE,
    docker_socket.RULE,
    service_account_token.RULE,
    writable_root_filesystem.RULE,
    diagnostics_on_read_only_root.RULE,
    missing_fs_group.RULE,
    end_of_life_runtime.RULE,
    tag_no_longer_rebuilt.RULE,
    latest_tag.RULE,
    sdk_image_at_run_time.RULE,
    obsolete_hardening_script.RULE,
    secret_in_environment.RULE,
    secret_in_build_argument.RULE,
    pipe_without_pipefail.RULE,
    add_instead_of_copy.RULE,
    missing_resources.RULE,
    default_namespace.RULE,
    missing_network_policy.RULE,
    unenforced_pod_security.RULE,
    missing_dockerignore.RULE,
    no_update_automation.RULE,
    stale_suppression.RULE,
    unpinned_image.RULE,
    stale_digest.RULE,
)

BY_ID = {rule.id: rule for rule in RULES}
