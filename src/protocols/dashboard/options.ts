import { webAddress } from '../../config/kinds.ts';
import { optional } from '../../config/option.ts';

/** Options of who sees the dashboards of instances. */
export const dashboardOptions = {
  dashboardCloudController: optional(
    'DASHBOARD_CLOUD_CONTROLLER',
    webAddress(),
    'nobody signs in at dashboards; operators give links to them',
    'Address of the Cloud Controller whose users see the dashboards of their instances: it is asked what each of them may see.',
  ),
  dashboardIssuer: optional(
    'DASHBOARD_SSO_ISSUER',
    webAddress(),
    'the UAA that DASHBOARD_CLOUD_CONTROLLER names',
    'Address of the OpenID provider where they sign in, with the dashboard_client of the offering.',
  ),
};
