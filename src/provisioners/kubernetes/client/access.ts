/** Who we are to a cluster and how it is reached, as a kubeconfig or a pod's own folder says it. */
export interface ClusterAccess {
  /** An address of http or https, perhaps with a path, without a slash at its end. */
  readonly server: string;
  /** The name that its certificate must have; that of the address when absent. */
  readonly serverName: string | undefined;
  /** Who must have signed its certificate; what Node trusts when absent. */
  readonly authority: Material | undefined;
  /** Its certificate is not looked at. */
  readonly isInsecure: boolean;
  readonly user: ClusterUser;
}

/** A text, or the file that holds it and may get another one at any time. */
export type Material = { readonly text: string } | { readonly file: string };

export interface ClusterUser {
  readonly token?: Material | undefined;
  readonly certificate?: Material | undefined;
  readonly key?: Material | undefined;
  /** A name and a password with a colon between them. */
  readonly password?: string | undefined;
  /** A program that tells who we are. */
  readonly plugin?: ExecPlugin | undefined;
  /** Headers that say as whom it shall be done. */
  readonly impersonation?: Readonly<Record<string, string | readonly string[]>>;
}

export interface ExecPlugin {
  /** `client.authentication.k8s.io/v1`, or its v1beta1. */
  readonly apiVersion: string;
  /** A path, or a name that is looked for in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Is it told which cluster it is for? */
  readonly wantsCluster: boolean;
}
