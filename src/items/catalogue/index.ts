import { type CatalogueItem } from './catalogue-item.js';
import { expand } from './expand.js';
import { artSupplies } from './lines/art-supplies.js';
import { audio } from './lines/audio.js';
import { bathroom } from './lines/bathroom.js';
import { bedding } from './lines/bedding.js';
import { bicycles } from './lines/bicycles.js';
import { boardGames } from './lines/board-games.js';
import { camping } from './lines/camping.js';
import { coffeeTea } from './lines/coffee-tea.js';
import { fiction } from './lines/fiction.js';
import { fitness } from './lines/fitness.js';
import { furniture } from './lines/furniture.js';
import { garden } from './lines/garden.js';
import { hardware } from './lines/hardware.js';
import { instruments } from './lines/instruments.js';
import { kitchen } from './lines/kitchen.js';
import { lighting } from './lines/lighting.js';
import { luggage } from './lines/luggage.js';
import { nonFiction } from './lines/non-fiction.js';
import { pets } from './lines/pets.js';
import { stationery } from './lines/stationery.js';
import { tools } from './lines/tools.js';
import { toys } from './lines/toys.js';

export { type CatalogueItem } from './catalogue-item.js';

/** The order is part of the catalogue: on an empty table the first item becomes id 1. */
const sections = [
  tools,
  toys,
  kitchen,
  garden,
  fiction,
  nonFiction,
  audio,
  bicycles,
  camping,
  stationery,
  lighting,
  furniture,
  bedding,
  pets,
  coffeeTea,
  boardGames,
  artSupplies,
  instruments,
  fitness,
  luggage,
  bathroom,
  hardware,
];

/** The 1,000 articles of the demo shop, always the same ones in the same order. */
export function catalogue(): readonly CatalogueItem[] {
  return sections.flatMap(expand);
}
