import { body, maybe, named, object, text, time, whole, type ValueOf } from './shape.ts';

const longest = 7 * 86_400_000;

export const linkBody = body({
  for: maybe(
    whole('Milliseconds that it opens the dashboard; absent: 3,600,000.', {
      minimum: 1000,
      maximum: longest,
    }),
  ),
});
export type LinkBody = ValueOf<typeof linkBody>;

export const dashboardLinkAnswer = named(
  'DashboardLink',
  object({ url: text('A secret until it expires: whoever has it sees the dashboard.'), expires_at: time() }),
);
export type DashboardLinkAnswer = ValueOf<typeof dashboardLinkAnswer>;
