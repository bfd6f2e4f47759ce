import { spoiltCatalogs } from './planted/catalogs.ts';
import type { SmallService } from './small-catalog.ts';
import { checkSmall, shortcomingsIn } from './small-check.ts';

/** Whatever is wrong in a catalog is told by the case to which it belongs, and by no other one. */

test.each(spoiltCatalogs)(
  'A catalog with %s is told by the case that %s names, and by no other.',
  async (_what, told, spoil) => {
    const { report } = await checkSmall(
      {
        spoil(catalog) {
          const service = catalog.services.at(-1) as SmallService;
          spoil(catalog, service, service.plans[0] as Record<string, unknown>);
        },
      },
      ['catalog'],
    );
    expect(shortcomingsIn(report)).toEqual([told]);
  },
);
