/**
 * The fields that NetBird's clients read from an answer, by what the answer is of. Each is in ours, always:
 * the Go client and the Terraform provider read what is missing as a zero, or fail.
 */

const group = "id name peers_count resources_count issued";
const peer =
  "id name created_at ip ipv6 connection_ip connected last_seen os kernel_version geoname_id version " +
  "groups ssh_enabled user_id hostname ui_version dns_label login_expiration_enabled " +
  "login_expired last_login " +
  "inactivity_expiration_enabled approval_required disapproval_reason country_code city_name serial_number " +
  "extra_dns_labels ephemeral local_flags";
const localFlags =
  "rosenpass_enabled rosenpass_permissive server_ssh_allowed disable_client_routes disable_server_routes " +
  "disable_dns disable_firewall block_lan_access block_inbound lazy_connection_enabled";
const settings =
  "peer_login_expiration_enabled peer_login_expiration peer_inactivity_expiration_enabled " +
  "peer_inactivity_expiration regular_users_view_blocked groups_propagation_enabled jwt_groups_enabled " +
  "jwt_groups_claim_name jwt_allow_groups routing_peer_dns_resolution_enabled dns_domain network_range " +
  "network_range_v6 peer_expose_enabled peer_expose_groups extra lazy_connection_enabled " +
  "auto_update_version auto_update_always metrics_push_enabled agent_network_only " +
  "dashboard_features embedded_idp_enabled " +
  "local_auth_disabled local_mfa_enabled ipv6_enabled_groups";
const extra =
  "peer_approval_enabled user_approval_required network_traffic_logs_enabled network_traffic_logs_groups " +
  "network_traffic_packet_counter_enabled";
const token = "id name expiration_date created_by created_at last_used";
const user =
  "id email name role status last_login auto_groups is_current is_service_user is_blocked pending_approval " +
  "issued idp_id";
const permission = "create delete read update";
const modules =
  "accounts agent_network agent_network.budgets agent_network.guardrails agent_network.logs " +
  "agent_network.policies agent_network.providers agent_network.settings agent_network.usage dns events " +
  "groups identity_providers nameservers networks pats peers policies remote_jobs routes services settings " +
  "setup_keys users";

/** Field paths; `[]` is each entry of a list. */
export interface Shape {
  /** Of the pathname, without `/api/`. */
  readonly path: RegExp;
  readonly fields: Readonly<Record<string, string>>;
}

export const SHAPES: readonly Shape[] = [
  {
    path: /^accounts(?:\/|$)/,
    fields: {
      "": "id settings domain domain_category created_at created_by onboarding",
      settings,
      "settings.extra": extra,
      "settings.dashboard_features": "agent_network",
      onboarding: "signup_form_pending onboarding_flow_pending",
    },
  },
  {
    path: /^users\/current$/,
    fields: {
      "": `${user} permissions`,
      permissions: "is_restricted modules",
      "permissions.modules": modules,
    },
  },
  { path: /^users\/[^/]+\/tokens$/, fields: { "": token } },
  { path: /^users\/[^/]+\/tokens\/[^/]+$/, fields: { "": token } },
  { path: /^users(?:\/[^/]+)?$/, fields: { "": user } },
  {
    path: /^peers$/,
    fields: { "": `${peer} accessible_peers_count`, "groups[]": group, local_flags: localFlags },
  },
  {
    path: /^peers\/[^/]+\/accessible-peers$/,
    fields: {
      "": "id name ip ipv6 dns_label user_id os country_code city_name geoname_id connected last_seen",
    },
  },
  { path: /^peers\/[^/]+$/, fields: { "": peer, "groups[]": group, local_flags: localFlags } },
  {
    path: /^setup-keys(?:\/|$)/,
    fields: {
      "":
        "id name expires type valid revoked used_times last_used state auto_groups updated_at usage_limit " +
        "ephemeral allow_extra_dns_labels key",
    },
  },
  { path: /^groups(?:\/|$)/, fields: { "": `${group} peers resources`, "peers[]": "id name" } },
  {
    path: /^policies(?:\/|$)/,
    fields: {
      "": "id name description enabled source_posture_checks rules",
      "rules[]": "id name description enabled action bidirectional protocol sources destinations",
      "rules[].sources[]": group,
      "rules[].destinations[]": group,
    },
  },
  { path: /^posture-checks(?:\/|$)/, fields: { "": "id name description checks" } },
  {
    path: /^events\/audit$/,
    fields: {
      "": "id timestamp activity activity_code initiator_id initiator_name initiator_email target_id meta",
    },
  },
];

/** Of a token that was just made; the permissions of each module. */
export const TOKEN_MADE = "plain_token personal_access_token";
export const PERMISSION = permission;
