// How the API server reaches a node's kubelet: the address the node reports, with the API server's client certificate.

export interface KubeletConnection {
  /** PEM of the client certificate that kubelets know the API server by. */
  cert: string;
  key: string;
  /** PEM of the authority that signed the kubelets' serving certificates. */
  ca: string;
}
