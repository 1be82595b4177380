import { line, section, single } from '../expand.js';

export const fitness = section(
  'fitness',
  line(
    'Ironfell kettlebell, {}',
    'Cast in one piece with a powder-coated handle that holds chalk. {}',
    ['8 kg', 29.5, 30, 'A sensible start for presses.'],
    ['12 kg', 39.5, 26, 'A sensible start for swings.'],
    ['16 kg', 49.5, 18, 'The standard bell.'],
    ['24 kg', 69.5, 7, 'For those who know why they want it.'],
  ),
  line(
    'Ironfell hex dumbbells, {}',
    'Rubber-coated heads that do not roll and do not dent floors.',
    ['2 × 2 kg', 19.9, 41],
    ['2 × 5 kg', 38.9, 33],
    ['2 × 10 kg', 72, 0],
  ),
  line(
    'Stillmere yoga mat, {}',
    'Natural rubber, 183 by 61 cm, with a surface that grips better as you warm up. {}',
    ['4 mm, moss', 54, 28, 'A good balance of cushion and stability.'],
    ['4 mm, plum', 54, 19, 'A good balance of cushion and stability.'],
    ['6 mm, slate', 64, 14, 'Kinder to the knees.'],
  ),
  single(
    'Stillmere cork yoga block',
    'Rounded edges, 23 by 12 by 7.5 cm, and heavy enough not to skid away.',
    14.9,
    52,
  ),
  single('Stillmere cotton yoga strap, 2.4 m', 'With a steel D-ring that holds without slipping.', 9.5, 61),
  line(
    'Resistance band, {}',
    'A loop of layered latex, 104 cm long. {}',
    ['light', 9.9, 73, 'About 5 to 15 kg of pull.'],
    ['medium', 13.9, 64, 'About 12 to 30 kg of pull.'],
    ['heavy', 18.9, 37, 'About 20 to 45 kg of pull.'],
  ),
  single(
    'Doorway pull-up bar',
    'Hooks over the frame without screws, for doorways of 62 to 92 cm. Bears 110 kg.',
    36.9,
    22,
  ),
  single(
    'Speed rope, steel cable',
    'Ball bearings in both handles and 3 m of coated cable that you cut to your height.',
    15.9,
    48,
  ),
  single('Foam roller, 45 cm, medium density', 'Grooved to reach either side of the spine. Firm, not cruel.', 26.5, 34),
  single('Balance board, birch', 'A deck 76 cm long on a cork roller, with stops at both ends.', 89, 9),
  single(
    'Gymnastic rings, birch, with straps',
    'Rings 28 mm thick on 4.5 m numbered straps, so that both hang level.',
    42,
    17,
  ),
  single('Medicine ball, 4 kg', 'Stitched and filled so that it lands without bouncing into anyone.', 44, 13),
  single(
    'Rowing machine, water resistance',
    'An ash frame, a tank of water and a sound like a river. Stands upright against a wall when not in use.',
    890,
    2,
  ),
  single('Chalk ball, refillable, 60 g', null, 5.9, 58),

  single(
    'Adjustable weight bench, folding',
    'Seven positions from flat to upright, and it stands on end behind a door. Bears 250 kg.',
    149,
    6,
  ),
  single(
    'Stillmere meditation cushion, buckwheat',
    'A round cushion 15 cm high, with a handle and a zip to take filling out. The cotton cover is washable.',
    46,
    16,
  ),
  single(
    'Sports bottle, steel, 750 ml',
    'Single-walled and light, with a straw lid that does not leak on its side.',
    18.5,
    59,
  ),
);
