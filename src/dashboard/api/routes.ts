/**
 * The REST API by method and path. Written by `bun packaging/dashboard-routes.ts`; not to be edited.
 *
 * @module
 */
import type { input, output } from "zod";
import type * as accessRequest from "../../wire/access-request.ts";
import type * as adminApi from "../../wire/admin-api.ts";
import type * as adminPeers from "../../wire/admin-peers.ts";
import type * as adminQuery from "../../wire/admin-query.ts";
import type * as auditEvent from "../../wire/audit-event.ts";
import type * as logApi from "../../wire/log-api.ts";
import type * as logEntry from "../../wire/log-entry.ts";
import type * as myAccess from "../../wire/my-access.ts";
import type * as outletApi from "../../wire/outlet-api.ts";
import type * as policy from "../../wire/policy.ts";
import type * as policyAccount from "../../wire/policy-account.ts";
import type * as policyCodeApi from "../../wire/policy-code-api.ts";
import type * as policyHistory from "../../wire/policy-history.ts";
import type * as posture from "../../wire/posture.ts";
import type * as recording from "../../wire/recording.ts";
import type * as rollout from "../../wire/rollout.ts";
import type * as session from "../../wire/session.ts";
import type * as webSession from "../../wire/web-session.ts";

export interface ApiRoutes {
  "GET /api/accounts": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminApi.Account>[];
  };
  "PUT /api/accounts/:accountId": {
    body: input<typeof adminApi.AccountRequest>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof adminApi.Account>;
  };
  "DELETE /api/accounts/:accountId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/users": { query: input<typeof adminQuery.UserQuery>; answer: output<typeof adminApi.User>[] };
  "GET /api/users/current": { query: input<typeof adminQuery.NoQuery>; answer: output<typeof adminApi.User> };
  "POST /api/users": {
    body: input<typeof adminApi.UserCreateRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.User>;
  };
  "PUT /api/users/:userId": {
    body: input<typeof adminApi.UserRequest>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof adminApi.User>;
  };
  "DELETE /api/users/:userId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "POST /api/users/:userId/invite": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.PasswordLink>;
  };
  "POST /api/users/:userId/password-reset": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.PasswordLink>;
  };
  "PUT /api/users/:userId/password": {
    body: input<typeof adminApi.PasswordChangeRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/users/:userId/tokens": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminApi.PersonalAccessToken>[];
  };
  "GET /api/users/:userId/tokens/:tokenId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.PersonalAccessToken>;
  };
  "POST /api/users/:userId/tokens": {
    body: input<typeof adminApi.PersonalAccessTokenRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.PersonalAccessTokenGenerated>;
  };
  "DELETE /api/users/:userId/tokens/:tokenId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/web-sessions": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof webSession.WebSession>[];
  };
  "DELETE /api/web-sessions/:sessionId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/peers": { query: input<typeof adminQuery.PeerQuery>; answer: output<typeof adminPeers.Peer>[] };
  "GET /api/peers/:peerId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminPeers.Peer>;
  };
  "GET /api/peers/:peerId/accessible-peers": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminPeers.AccessiblePeer>[];
  };
  "PUT /api/peers/:peerId": {
    body: input<typeof adminPeers.PeerRequest>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof adminPeers.Peer>;
  };
  "DELETE /api/peers/:peerId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/reserved-names": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.ReservedName>[];
  };
  "DELETE /api/reserved-names/:name": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/setup-keys": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminApi.SetupKey>[];
  };
  "POST /api/setup-keys": {
    body: input<typeof adminApi.SetupKeyCreateRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.SetupKey>;
  };
  "GET /api/setup-keys/:keyId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.SetupKey>;
  };
  "PUT /api/setup-keys/:keyId": {
    body: input<typeof adminApi.SetupKeyRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.SetupKey>;
  };
  "DELETE /api/setup-keys/:keyId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/groups": { query: input<typeof adminQuery.GroupQuery>; answer: output<typeof adminApi.Group>[] };
  "POST /api/groups": {
    body: input<typeof adminApi.GroupRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.Group>;
  };
  "GET /api/groups/:groupId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminApi.Group>;
  };
  "PUT /api/groups/:groupId": {
    body: input<typeof adminApi.GroupRequest>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof adminApi.Group>;
  };
  "DELETE /api/groups/:groupId": {
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/policies": { query: input<typeof adminQuery.PageQuery>; answer: output<typeof policy.Policy>[] };
  "POST /api/policies": {
    body: input<typeof policy.PolicyWrite>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof policy.Policy>;
  };
  "GET /api/policies/:policyId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policy.Policy>;
  };
  "PUT /api/policies/:policyId": {
    body: input<typeof policy.PolicyWrite>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof policy.Policy>;
  };
  "DELETE /api/policies/:policyId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/policy/file": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.PolicyFileAnswer>;
  };
  "GET /api/policy/schema": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.AnyObject>;
  };
  "GET /api/policy/export": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyAccount.PolicyAccount>;
  };
  "POST /api/policy/test": {
    body: input<typeof policyCodeApi.PolicyTestRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.PolicyTestReport>;
  };
  "POST /api/policy/diff": {
    body: input<typeof policyCodeApi.PolicyDiffRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.PolicyDiff>;
  };
  "POST /api/policy/apply": {
    body: input<typeof policyCodeApi.PolicyApplyRequest>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.PolicyApplied>;
  };
  "GET /api/policy/history": {
    query: input<typeof adminQuery.HistoryQuery>;
    answer: output<typeof policyHistory.PolicyHistoryEntry>[];
  };
  "GET /api/policy/history/:stateNumber": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyHistory.PolicyHistoryState>;
  };
  "GET /api/policy/who": {
    query: input<typeof policyCodeApi.WhoQuery>;
    answer: output<typeof policyCodeApi.AccessPage>;
  };
  "GET /api/policy/what": {
    query: input<typeof policyCodeApi.WhatQuery>;
    answer: output<typeof policyCodeApi.AccessPage>;
  };
  "GET /api/policy/usage": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof policyCodeApi.PolicyUsage>;
  };
  "GET /api/policy/explain": {
    query: input<typeof policyCodeApi.ExplainQuery>;
    answer: output<typeof policyCodeApi.Explanation>;
  };
  "GET /api/posture-checks": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof posture.PostureCheck>[];
  };
  "POST /api/posture-checks": {
    body: input<typeof posture.PostureCheckWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof posture.PostureCheck>;
  };
  "GET /api/posture-checks/:postureCheckId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof posture.PostureCheck>;
  };
  "PUT /api/posture-checks/:postureCheckId": {
    body: input<typeof posture.PostureCheckWrite>;
    query: input<typeof adminQuery.SaveQuery>;
    answer: output<typeof posture.PostureCheck>;
  };
  "DELETE /api/posture-checks/:postureCheckId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/sessions": {
    query: input<typeof session.SessionQuery>;
    answer: output<typeof session.Session>[];
  };
  "GET /api/sessions/:sessionId": { answer: output<typeof session.SessionDetail> };
  "POST /api/sessions/:sessionId/kill": {
    body: input<typeof session.SessionKill>;
    answer: output<typeof session.Session>;
  };
  "GET /api/access/requests": {
    query: input<typeof accessRequest.AccessRequestsQuery>;
    answer: output<typeof accessRequest.AccessRequest>[];
  };
  "POST /api/access/requests": {
    body: input<typeof accessRequest.AccessRequestWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof accessRequest.AccessRequest>;
  };
  "GET /api/access/requests/:requestId": {
    query: input<typeof accessRequest.AccessRequestQuery>;
    answer: output<typeof accessRequest.AccessRequest>;
  };
  "POST /api/access/requests/:requestId/decision": {
    body: input<typeof accessRequest.AccessDecision>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof accessRequest.AccessRequest>;
  };
  "DELETE /api/access/requests/:requestId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof accessRequest.AccessRequest>;
  };
  "GET /api/access/groups": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof accessRequest.RequestableGroup>[];
  };
  "GET /api/events/audit": {
    query: input<typeof adminQuery.AuditQuery>;
    answer: output<typeof auditEvent.AuditEvent>[];
  };
  "GET /api/events/audit/checkpoint": { answer: output<typeof logApi.LogCheckpoint> };
  "GET /api/events/audit/lost": { answer: output<typeof logApi.LostTail>[] };
  "POST /api/events/audit/lost/acknowledge": { answer: output<typeof logApi.LostTail>[] };
  "GET /api/events/audit/proof/inclusion": {
    query: input<typeof logApi.InclusionQuery>;
    answer: output<typeof logApi.InclusionAnswer>;
  };
  "GET /api/events/audit/proof/consistency": {
    query: input<typeof logApi.ConsistencyQuery>;
    answer: output<typeof logApi.ConsistencyAnswer>;
  };
  "GET /api/events/audit/bundle": {
    query: input<typeof logApi.BundleQuery>;
    answer: output<typeof logEntry.BundleHeader>;
  };
  "GET /api/events/audit/entries": {
    query: input<typeof logApi.EntriesQuery>;
    answer: output<typeof logApi.BundleLine>[];
  };
  "GET /api/audit-streams": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof outletApi.AuditStream>[];
  };
  "POST /api/audit-streams": {
    body: input<typeof outletApi.AuditStreamWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.AuditStream>;
  };
  "GET /api/audit-streams/:streamId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.AuditStream>;
  };
  "PUT /api/audit-streams/:streamId": {
    body: input<typeof outletApi.AuditStreamWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.AuditStream>;
  };
  "DELETE /api/audit-streams/:streamId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "POST /api/audit-streams/:streamId/test": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.OutletTest>;
  };
  "GET /api/notifications": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof outletApi.NotificationChannel>[];
  };
  "POST /api/notifications": {
    body: input<typeof outletApi.NotificationChannelWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.NotificationChannel>;
  };
  "GET /api/notifications/:channelId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.NotificationChannel>;
  };
  "PUT /api/notifications/:channelId": {
    body: input<typeof outletApi.NotificationChannelWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.NotificationChannel>;
  };
  "DELETE /api/notifications/:channelId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "POST /api/notifications/:channelId/test": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof outletApi.OutletTest>;
  };
  "GET /api/recordings": {
    query: input<typeof adminQuery.RecordingQuery>;
    answer: output<typeof recording.Recording>[];
  };
  "GET /api/recordings/:recordingId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof recording.Recording>;
  };
  "GET /api/recordings/:recordingId/chunks": {
    query: input<typeof adminQuery.RecordingChunksQuery>;
    answer: output<typeof recording.RecordingPage>;
  };
  "DELETE /api/recordings/:recordingId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.Empty>;
  };
  "GET /api/rollouts": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof rollout.Rollout>[];
  };
  "POST /api/rollouts": {
    body: input<typeof rollout.RolloutWrite>;
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof rollout.Rollout>;
  };
  "GET /api/rollouts/:rolloutId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof rollout.Rollout>;
  };
  "GET /api/rollouts/:rolloutId/machines": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof rollout.RolloutMachine>[];
  };
  "POST /api/rollouts/:rolloutId/halt": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof rollout.Rollout>;
  };
  "POST /api/rollouts/:rolloutId/resume": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof rollout.Rollout>;
  };
  "DELETE /api/rollouts/:rolloutId": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof rollout.Rollout>;
  };
  "GET /api/my/access": {
    query: input<typeof myAccess.MyAccessQuery>;
    answer: output<typeof myAccess.MyAccess>;
  };
  "GET /api/networks": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
  "GET /api/routes": { query: input<typeof adminQuery.PageQuery>; answer: output<typeof adminQuery.Empty>[] };
  "GET /api/dns/nameservers": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
  "GET /api/dns/zones": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
  "GET /api/locations/countries": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
  "GET /api/identity-providers": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
  "GET /api/dns/settings": {
    query: input<typeof adminQuery.NoQuery>;
    answer: output<typeof adminQuery.DnsSettings>;
  };
  "GET /api/peers/:peerId/jobs": {
    query: input<typeof adminQuery.PageQuery>;
    answer: output<typeof adminQuery.Empty>[];
  };
}
