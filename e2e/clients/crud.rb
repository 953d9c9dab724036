# The Ruby client's round: CRUD, selectors, watch, the patches, apply, exec, log and delete. Prints what it saw.

require 'kubeclient'
require_relative 'exec'

config = Kubeclient::Config.read(ENV.fetch('KUBECONFIG')).context
connect = lambda do |path, version|
  Kubeclient::Client.new("#{config.api_endpoint}#{path}", version, ssl_options: config.ssl_options, auth_options: config.auth_options)
end
core = connect.call('/api', 'v1')
apps = connect.call('/apis/apps', 'v1')

config_map = lambda do |number|
  Kubeclient::Resource.new(
    metadata: { name: "rb-#{number}", namespace: 'default', labels: { app: 'rb', n: number.to_s } }, data: { n: number.to_s }
  )
end
3.times { |number| core.create_config_map(config_map.call(number)) }
puts "read #{core.get_config_map('rb-1', 'default').data.to_h}"
listed = core.get_config_maps(namespace: 'default', label_selector: 'app=rb,n notin (0)')
puts "selected #{listed.map { |item| item.metadata.name }}"
by_field = core.get_config_maps(namespace: 'default', field_selector: 'metadata.name=rb-2')
puts "field #{by_field.map { |item| item.metadata.name }}"
page = core.get_config_maps(namespace: 'default', label_selector: 'app=rb', limit: 2)
rest = core.get_config_maps(namespace: 'default', label_selector: 'app=rb', limit: 2, continue: page.continue)
puts "pages #{page.length} #{rest.length}"
begin
  core.create_config_map(config_map.call(1))
rescue Kubeclient::HttpError => e
  puts "again #{e.error_code} #{e.message}"
end

# Every change of one object arrives once and in order.
watcher = core.watch_config_maps(namespace: 'default', label_selector: 'app=rb', resource_version: listed.resourceVersion)
seen = []
watching = Thread.new do
  watcher.each do |event|
    seen << "event #{event.type} #{event.object.metadata.name} #{event.object.data.to_h.sort.to_h}"
    break if event.type == 'DELETED'
  end
end
changed = core.get_config_map('rb-1', 'default')
changed.data = { n: 'one' }
core.update_config_map(changed)
begin
  core.update_config_map(listed.first)
rescue Kubeclient::HttpError => e
  puts "stale #{e.error_code}"
end
core.patch_config_map('rb-1', { data: { strategic: '1' } }, 'default')
core.merge_patch_config_map('rb-1', { data: { merge: '1', n: nil } }, 'default')
core.json_patch_config_map('rb-1', [{ op: 'add', path: '/data/json', value: '1' }], 'default')
core.delete_config_map('rb-1', 'default')
watching.join(30) || raise('the watch did not see the deletion')
watcher.finish
puts seen

apps.create_deployment(
  Kubeclient::Resource.new(
    metadata: { name: 'rb', namespace: 'default' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'rb' } },
      template: { metadata: { labels: { app: 'rb' } }, spec: { containers: [{ name: 'main', image: 't8s.local/busybox:1' }] } }
    }
  )
)
apps.patch_deployment('rb', { spec: { template: { spec: { containers: [{ name: 'more', image: 't8s.local/busybox:1' }] } } } }, 'default')
puts "strategic #{apps.get_deployment('rb', 'default').spec.template.spec.containers.map(&:name)}"
apps.delete_deployment('rb', 'default', delete_options: Kubeclient::Resource.new(propagationPolicy: 'Background'))

# Server-side apply: who set a field keeps it until another forces.
applied = lambda do |value|
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rb-applied', namespace: 'default', labels: { app: 'rb' } }, data: { a: value } }
end
core.apply_config_map(applied.call('1'), field_manager: 'one', force: false)
begin
  core.apply_config_map(applied.call('2'), field_manager: 'two', force: false)
rescue Kubeclient::HttpError => e
  puts "conflict #{e.error_code} #{e.message}"
end
core.apply_config_map(applied.call('2'), field_manager: 'two')
puts "applied #{core.get_config_map('rb-applied', 'default').data.to_h}"

core.create_pod(
  Kubeclient::Resource.new(
    metadata: { name: 'rb', namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 't8s.local/busybox:1', command: ['sh', '-c', 'echo from ruby; exec sleep 1000'] }]
    }
  )
)
pods = core.watch_pods(namespace: 'default', field_selector: 'metadata.name=rb')
pods.each { |event| break if event.object.status.phase == 'Running' }
pods.finish
said = exec_in_pod(config.api_endpoint, config.ssl_options, 'default', 'rb', 'sh', '-c', 'hostname; echo aside >&2; exit 3')
puts "exec #{said[:stdout].strip} #{said[:stderr].strip} #{said[:status]['details']['causes']}"
puts "log #{core.get_pod_log('rb', 'default').to_s.strip}"
core.delete_pod('rb', 'default')
%w[rb-0 rb-2 rb-applied].each { |name| core.delete_config_map(name, 'default') }
puts "left #{core.get_config_maps(namespace: 'default', label_selector: 'app=rb').length}"
begin
  core.get_config_map('rb-1', 'default')
rescue Kubeclient::ResourceNotFoundError => e
  puts "gone #{e.error_code} #{e.message}"
end
