import { line, section, single } from '../expand.js';

export const luggage = section(
  'luggage',
  line(
    'Portamare hard-shell suitcase, {}',
    'Polycarbonate with four double wheels and a combination lock. {}',
    ['cabin, 38 l, navy', 139, 16, '55 by 37 by 23 cm, within the limits of most airlines; 2.5 kg.'],
    ['cabin, 38 l, sand', 139, 11, '55 by 37 by 23 cm, within the limits of most airlines; 2.5 kg.'],
    ['medium, 65 l, navy', 179, 9, '66 by 45 by 26 cm; 3.4 kg.'],
    ['large, 98 l, navy', 219, 0, '76 by 51 by 31 cm; 4.2 kg.'],
  ),
  line(
    'Portamare weekend bag, {}',
    'Waxed canvas on a leather base, with a pocket that slips over a trolley handle. 36 litres.',
    ['olive', 149, 12],
    ['charcoal', 149, 8],
  ),
  line(
    'Holloway Peak rucksack, {}',
    'Recycled nylon with a padded laptop sleeve and a pocket you can reach without taking it off. {}',
    ['18 l, black', 79, 27, 'For laptops up to 14 inches.'],
    ['24 l, black', 94, 23, 'For laptops up to 16 inches.'],
    ['24 l, rust', 94, 14, 'For laptops up to 16 inches.'],
  ),
  single(
    'Holloway Peak trekking pack, 55 + 10 l',
    'An adjustable back, a rain cover in the base and hip pockets large enough for a map. 1.8 kg.',
    198,
    6,
  ),
  line(
    'Packing cubes, {}',
    'Light ripstop with mesh tops, so you can see your socks. {}',
    ['set of 3', 24.9, 44, 'Small, medium and large.'],
    ['compression, set of 2', 32.9, 25, 'A second zip squeezes out a third of the volume.'],
  ),
  single(
    'Hanging wash bag',
    'Unrolls from a hook into four pockets, two of them clear. Coated cotton that wipes clean.',
    36.5,
    31,
  ),
  line(
    'Passport wallet, {}',
    'Vegetable-tanned leather with room for two passports, four cards and a pen.',
    ['tan', 44, 20],
    ['black', 44, 24],
  ),
  single(
    'Luggage tag, leather',
    'The address is hidden by a flap. Buckles on with a strap rather than elastic.',
    14.5,
    57,
  ),
  single(
    'Travel pillow, memory foam',
    'Closes under the chin and compresses to half its size. The cover unzips.',
    34.9,
    38,
  ),
  single(
    'Universal travel adaptor',
    'Plugs for more than 150 countries, two USB-C ports and a spare fuse. It does not convert voltage.',
    29.9,
    63,
  ),
  single('Luggage scale, digital', 'Weighs up to 50 kg, to the nearest 50 g, before the airline does.', 12.9, 49),
  single('Folding umbrella, windproof', null, 26, 35),

  single(
    'Portamare garment bag',
    'Folds in three around a shirt board, and carries a suit without a crease across the knees. Waxed canvas.',
    118,
    7,
  ),
  line(
    'Cotton tote, heavy, {}',
    'Canvas of 340 gsm with a flat base and handles long enough for the shoulder. 16 litres.',
    ['natural', 17.5, 66],
    ['navy', 17.5, 51],
  ),
);
