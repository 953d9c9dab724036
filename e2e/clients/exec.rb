# Exec over a WebSocket, which kubeclient leaves to others: RFC 6455 in the little that a command's output needs.

require 'json'
require 'openssl'
require 'securerandom'
require 'socket'
require 'uri'

# What the command wrote, and the Status it ended with.
def exec_in_pod(endpoint, ssl_options, namespace, pod, *command)
  uri = URI(endpoint)
  context = OpenSSL::SSL::SSLContext.new
  context.cert_store = ssl_options[:cert_store]
  context.ca_file = ssl_options[:ca_file] if ssl_options[:ca_file]
  context.verify_mode = OpenSSL::SSL::VERIFY_PEER
  context.cert = ssl_options[:client_cert]
  context.key = ssl_options[:client_key]
  socket = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(uri.host, uri.port), context).tap(&:connect)
  query = URI.encode_www_form([%w[stdout true], %w[stderr true], *command.map { |word| ['command', word] }])
  socket.write(
    "GET /api/v1/namespaces/#{namespace}/pods/#{pod}/exec?#{query} HTTP/1.1\r\nHost: #{uri.host}\r\n" \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: #{SecureRandom.base64(16)}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
  )
  answer = socket.gets("\r\n\r\n")
  raise answer unless answer.start_with?('HTTP/1.1 101') && answer.match?(/^sec-websocket-protocol: v4\.channel\.k8s\.io\r$/i)

  channels = Hash.new { |all, channel| all[channel] = +'' }
  while (opcode, payload = read_frame(socket)) && opcode != 8
    channels[payload.getbyte(0)] << payload.byteslice(1..) if opcode == 2 && !payload.empty?
  end
  socket.close
  { stdout: channels[1], stderr: channels[2], status: JSON.parse(channels[3]) }
end

def read_frame(socket)
  first, second = socket.read(2)&.bytes
  return unless second

  length = second & 127
  length = socket.read(2).unpack1('n') if length == 126
  length = socket.read(8).unpack1('Q>') if length == 127
  [first & 15, length.zero? ? '' : socket.read(length)]
end
