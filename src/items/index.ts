export { Item } from './item.entity.js';
export { type ItemsPage, type ItemView } from './item.view.js';
export { ItemsModule } from './items.module.js';
export { ItemsReader } from './items.reader.js';
export { seedCatalogue } from './seed-catalogue.js';
