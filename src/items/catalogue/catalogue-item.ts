/** One article of the demo shop, as the API would be asked to create it. */
export interface CatalogueItem {
  readonly name: string;
  readonly description: string | null;
  readonly category: string;
  readonly price: number;
  readonly quantity: number;
}
