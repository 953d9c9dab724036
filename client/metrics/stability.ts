// Every metric that Kubernetes 1.36 promises, and how firmly. The others are alpha; process_* promise nothing.

/** Level, type, component and name, then the labels in order. The work queues' are also the other components'. */
const table = `
STABLE histogram kube-apiserver apiserver_admission_controller_admission_duration_seconds name operation rejected type
STABLE histogram kube-apiserver apiserver_admission_step_admission_duration_seconds operation rejected type
STABLE histogram kube-apiserver apiserver_admission_webhook_admission_duration_seconds name operation rejected type
STABLE gauge kube-apiserver apiserver_current_inflight_requests request_kind
STABLE gauge kube-apiserver apiserver_longrunning_requests component group resource scope subresource verb version
STABLE histogram kube-apiserver apiserver_request_duration_seconds component dry_run group resource scope subresource verb version
STABLE counter kube-apiserver apiserver_request_total code component dry_run group resource scope subresource verb version
STABLE gauge kube-apiserver apiserver_requested_deprecated_apis group removed_release resource subresource version
STABLE histogram kube-apiserver apiserver_response_sizes component group resource scope subresource verb version
STABLE gauge kube-apiserver apiserver_storage_objects resource
STABLE gauge kube-apiserver apiserver_storage_size_bytes storage_cluster_id
STABLE gauge kube-apiserver kubernetes_healthcheck name type
STABLE counter kube-apiserver kubernetes_healthchecks_total name status type
STABLE histogram kube-controller-manager cronjob_controller_job_creation_skew_duration_seconds
STABLE counter kube-controller-manager job_controller_job_pods_finished_total completion_mode result
STABLE histogram kube-controller-manager job_controller_job_sync_duration_seconds action completion_mode result
STABLE counter kube-controller-manager job_controller_job_syncs_total action completion_mode result
STABLE counter kube-controller-manager job_controller_jobs_finished_total completion_mode reason result
STABLE counter kube-controller-manager node_collector_evictions_total zone
STABLE gauge kube-scheduler kube_pod_resource_limit namespace node pod priority resource scheduler unit
STABLE gauge kube-scheduler kube_pod_resource_request namespace node pod priority resource scheduler unit
STABLE histogram kube-scheduler scheduler_framework_extension_point_duration_seconds extension_point profile status
STABLE gauge kube-scheduler scheduler_pending_pods queue
STABLE histogram kube-scheduler scheduler_pod_scheduling_attempts
STABLE counter kube-scheduler scheduler_preemption_attempts_total
STABLE histogram kube-scheduler scheduler_preemption_victims
STABLE counter kube-scheduler scheduler_queue_incoming_pods_total event queue
STABLE counter kube-scheduler scheduler_schedule_attempts_total profile result
STABLE histogram kube-scheduler scheduler_scheduling_attempt_duration_seconds profile result
STABLE counter kubelet container_cpu_usage_seconds_total container namespace pod
STABLE gauge kubelet container_memory_working_set_bytes container namespace pod
STABLE gauge kubelet container_start_time_seconds container namespace pod
STABLE counter kubelet node_cpu_usage_seconds_total
STABLE gauge kubelet node_memory_working_set_bytes
STABLE counter kubelet pod_cpu_usage_seconds_total namespace pod
STABLE gauge kubelet pod_memory_working_set_bytes namespace pod
STABLE gauge kubelet resource_scrape_error
BETA gauge kube-apiserver apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds apiserver_id_hash status
BETA counter kube-apiserver apiserver_authentication_config_controller_automatic_reloads_total apiserver_id_hash status
BETA gauge kube-apiserver apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds apiserver_id_hash status
BETA counter kube-apiserver apiserver_authorization_config_controller_automatic_reloads_total apiserver_id_hash status
BETA histogram kube-apiserver apiserver_cel_compilation_duration_seconds
BETA histogram kube-apiserver apiserver_cel_evaluation_duration_seconds
BETA gauge kube-apiserver apiserver_flowcontrol_current_executing_requests flow_schema priority_level
BETA gauge kube-apiserver apiserver_flowcontrol_current_executing_seats flow_schema priority_level
BETA gauge kube-apiserver apiserver_flowcontrol_current_inqueue_requests flow_schema priority_level
BETA counter kube-apiserver apiserver_flowcontrol_dispatched_requests_total flow_schema priority_level
BETA gauge kube-apiserver apiserver_flowcontrol_nominal_limit_seats priority_level
BETA counter kube-apiserver apiserver_flowcontrol_rejected_requests_total flow_schema priority_level reason
BETA histogram kube-apiserver apiserver_flowcontrol_request_wait_duration_seconds execute flow_schema priority_level
BETA histogram kube-apiserver apiserver_validating_admission_policy_check_duration_seconds enforcement_action error_type policy policy_binding
BETA counter kube-apiserver apiserver_validating_admission_policy_check_total enforcement_action error_type policy policy_binding
BETA counter kube-apiserver apiserver_validation_declarative_validation_mismatch_total
BETA counter kube-apiserver apiserver_validation_declarative_validation_panic_total
BETA counter all disabled_metrics_total
BETA counter all hidden_metrics_total
BETA gauge all kubernetes_feature_enabled name stage
BETA counter all registered_metrics_total deprecated_version stability_level
BETA gauge kube-controller-manager statefulset_controller_statefulset_max_unavailable pod_management_policy statefulset_name statefulset_namespace
BETA gauge kube-controller-manager statefulset_controller_statefulset_unavailable_replicas pod_management_policy statefulset_name statefulset_namespace
BETA counter kube-controller-manager workqueue_adds_total name
BETA gauge kube-controller-manager workqueue_depth name
BETA gauge kube-controller-manager workqueue_longest_running_processor_seconds name
BETA histogram kube-controller-manager workqueue_queue_duration_seconds name
BETA counter kube-controller-manager workqueue_retries_total name
BETA gauge kube-controller-manager workqueue_unfinished_work_seconds name
BETA histogram kube-controller-manager workqueue_work_duration_seconds name
BETA histogram kube-scheduler scheduler_pod_scheduling_sli_duration_seconds attempts
BETA counter kubelet prober_probe_total container namespace pod pod_uid probe_type result`;

export type StabilityLevel = 'STABLE' | 'BETA' | 'ALPHA' | '';

export interface PromisedMetric {
  level: 'STABLE' | 'BETA';
  type: 'counter' | 'gauge' | 'histogram';
  component: 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'all';
  labels: readonly string[];
}

export const promisedMetrics: ReadonlyMap<string, PromisedMetric> = new Map(
  table
    .trim()
    .split('\n')
    .map((line) => {
      const [level, type, component, name = '', ...labels] = line.split(' ');
      // The table above is the only text this reads.
      return [name, { level, type, component, labels } as PromisedMetric];
    }),
);

/** `''`: it is none of Kubernetes' own, as Prometheus' process_*. */
export function stabilityOf(metric: string): StabilityLevel {
  return promisedMetrics.get(metric)?.level ?? (/^process_/.test(metric) ? '' : 'ALPHA');
}
