/**
 * What people call the 80 things of COCO, in English and German. The table was checked by hand: every learnt similarity that was tried on
 * everyday words took an excavator for a person or a sign for a stop sign, and knew no German.
 *
 * English words are in lower case, German ones capitalised; a plural that the rules do not produce follows after a slash.
 */
import type { Colour } from './colours.ts'

export type Language = 'en' | 'de'
type Gender = 'm' | 'f' | 'n'

interface Entry {
  en: string
  /** With the letter of its gender in front. */
  de: `${Gender} ${string}`
  /** Further words for the same thing. */
  same?: string
  /** Words for a subset of the class: the detector cannot tell it from the rest. */
  kinds?: string
  /** Words that mean more than the class: if none is found, one may be there all the same. */
  more?: string
}

/** In COCO's order. */
const TABLE: Readonly<Record<string, Entry>> = {
  person: {
    en: 'person/people',
    de: 'f Person/Personen',
    same: 'human, human being, individual, someone, somebody, anyone, anybody, persons/persons, Mensch/Menschen, Leute, jemand',
    kinds:
      'man/men, woman/women, child/children, boy, girl, kid, baby, toddler, teenager, adult, lady, guy, ' +
      'gentleman/gentlemen, pedestrian, passer-by/passers-by, cyclist, biker, rider, driver, passenger, player, worker, ' +
      'climber, skier, skater, surfer, swimmer, runner, jogger, dancer, policeman/policemen, police officer, soldier, ' +
      'firefighter, tourist, visitor, customer, shopper, student, teacher, doctor, nurse, farmer, fisherman/fishermen, ' +
      'athlete, musician, Mann/Männer, Frau/Frauen, Kind/Kinder, Junge/Jungen, Mädchen, Baby/Babys, Kleinkind/Kleinkinder, ' +
      'Jugendlicher/Jugendliche, Erwachsener/Erwachsene, Herr/Herren, Dame/Damen, Fußgänger, Fußgängerin/Fußgängerinnen, ' +
      'Passant/Passanten, Radfahrer, Radfahrerin/Radfahrerinnen, Fahrradfahrer, Motorradfahrer, Reiter, Fahrer, ' +
      'Fahrgast/Fahrgäste, Spieler, Arbeiter, Kletterer, Skifahrer, Schwimmer, Läufer, Jogger, Tänzer, Polizist/Polizisten, ' +
      'Soldat/Soldaten, Feuerwehrmann/Feuerwehrleute, Tourist/Touristen, Besucher, Kunde/Kunden, Schüler, ' +
      'Student/Studenten, Lehrer, Arzt/Ärzte, Bauer/Bauern, Sportler, Musiker',
  },
  bicycle: {
    en: 'bicycle',
    de: 'n Fahrrad/Fahrräder',
    same: 'bike, push-bike, cycle, Rad/Räder, Velo/Velos',
    kinds:
      'mountain bike, racing bike, e-bike, tandem, Rennrad/Rennräder, Mountainbike/Mountainbikes, Damenrad/Damenräder, Kinderfahrrad/Kinderfahrräder, E-Bike/E-Bikes',
  },
  car: {
    en: 'car',
    de: 'n Auto/Autos',
    same: 'automobile, motorcar, Pkw/Pkws, Wagen, Automobil/Automobile, Personenwagen',
    kinds:
      'taxi, cab, sedan, saloon car, limousine, hatchback, station wagon, estate car, coupe, convertible, cabriolet, ' +
      'sports car, racing car, race car, suv, jeep, minivan, van, police car, patrol car, Taxi/Taxis, Limousine/Limousinen, ' +
      'Kombi/Kombis, Cabrio/Cabrios, Sportwagen, Rennwagen, Geländewagen, Kleinwagen, Van/Vans, Polizeiauto/Polizeiautos, ' +
      'Streifenwagen, Kleinbus/Kleinbusse',
  },
  motorcycle: {
    en: 'motorcycle',
    de: 'n Motorrad/Motorräder',
    same: 'motorbike, Krad/Kräder',
    kinds: 'scooter, moped, motor scooter, vespa, Moped/Mopeds, Mofa/Mofas, Motorroller, Roller',
  },
  airplane: {
    en: 'airplane',
    de: 'n Flugzeug/Flugzeuge',
    same: 'aeroplane, plane',
    kinds:
      'jet, airliner, jetliner, biplane, fighter jet, glider, Düsenflugzeug/Düsenflugzeuge, Passagierflugzeug/Passagierflugzeuge, Jet/Jets, Segelflugzeug/Segelflugzeuge',
    more: 'aircraft/aircraft, Flieger',
  },
  bus: {
    en: 'bus',
    de: 'm Bus/Busse',
    same: 'omnibus, Omnibus/Omnibusse, Autobus/Autobusse',
    kinds: 'coach, school bus, double-decker, minibus, Reisebus/Reisebusse, Linienbus/Linienbusse, Schulbus/Schulbusse, Doppeldecker',
  },
  train: {
    en: 'train',
    de: 'm Zug/Züge',
    same: 'railway train, Bahn/Bahnen, Eisenbahn/Eisenbahnen',
    kinds:
      'locomotive, tram, streetcar, subway train, freight train, Lokomotive/Lokomotiven, Straßenbahn/Straßenbahnen, S-Bahn/S-Bahnen, U-Bahn/U-Bahnen, Güterzug/Güterzüge, Lok/Loks',
  },
  truck: {
    en: 'truck',
    de: 'm Lastwagen',
    same: 'lorry, Lkw/Lkws, Laster, Lastkraftwagen',
    kinds:
      'van, pickup, pickup truck, pick-up, fire engine, fire truck, semi-trailer truck, articulated lorry, garbage truck, ' +
      'dump truck, tow truck, delivery truck, Sattelzug/Sattelzüge, Feuerwehrauto/Feuerwehrautos, Müllwagen, ' +
      'Pritschenwagen, Lieferwagen, Kipper, Abschleppwagen, Van/Vans',
  },
  boat: {
    en: 'boat',
    de: 'n Boot/Boote',
    same: 'ship, vessel, Schiff/Schiffe',
    kinds:
      'sailboat, sailing boat, yacht, canoe, kayak, ferry, motorboat, rowing boat, rowboat, speedboat, dinghy, barge, ' +
      'gondola, Segelboot/Segelboote, Jacht/Jachten, Yacht/Yachten, Kanu/Kanus, Kajak/Kajaks, Fähre/Fähren, ' +
      'Motorboot/Motorboote, Ruderboot/Ruderboote, Segelschiff/Segelschiffe, Schlauchboot/Schlauchboote',
  },
  'traffic light': {
    en: 'traffic light',
    de: 'f Ampel/Ampeln',
    same: 'stoplight, traffic signal, traffic lights/traffic lights, Verkehrsampel/Verkehrsampeln, Lichtsignalanlage/Lichtsignalanlagen',
  },
  'fire hydrant': { en: 'fire hydrant', de: 'm Hydrant/Hydranten', same: 'hydrant, Feuerhydrant/Feuerhydranten' },
  'stop sign': { en: 'stop sign', de: 'n Stoppschild/Stoppschilder', same: 'Stopschild/Stopschilder, Stoppzeichen' },
  'parking meter': { en: 'parking meter', de: 'f Parkuhr/Parkuhren' },
  bench: { en: 'bench', de: 'f Bank/Bänke', same: 'Sitzbank/Sitzbänke', kinds: 'park bench, Parkbank/Parkbänke, Gartenbank/Gartenbänke' },
  bird: {
    en: 'bird',
    de: 'm Vogel/Vögel',
    kinds:
      'pigeon, dove, sparrow, crow, raven, seagull, gull, duck, goose/geese, swan, chicken, hen, rooster, parrot, owl, ' +
      'eagle, hawk, stork, heron, penguin, ostrich, flamingo, turkey, robin, Taube/Tauben, Spatz/Spatzen, Krähe/Krähen, ' +
      'Rabe/Raben, Möwe/Möwen, Ente/Enten, Gans/Gänse, Schwan/Schwäne, Huhn/Hühner, Hahn/Hähne, Papagei/Papageien, ' +
      'Eule/Eulen, Adler, Storch/Störche, Reiher, Pinguin/Pinguine, Strauß/Strauße, Amsel/Amseln, Meise/Meisen',
  },
  cat: {
    en: 'cat',
    de: 'f Katze/Katzen',
    same: 'house cat, pussycat, Hauskatze/Hauskatzen',
    kinds: 'kitten, kitty, tomcat, tabby, Kätzchen, Kater',
  },
  dog: {
    en: 'dog',
    de: 'm Hund/Hunde',
    same: 'hound, doggy',
    kinds:
      'puppy, poodle, terrier, bulldog, labrador, retriever, golden retriever, sheepdog, shepherd dog, german shepherd, ' +
      'dachshund, husky, beagle, pug, chihuahua, dalmatian, spaniel, Welpe/Welpen, Pudel, Dackel, Schäferhund/Schäferhunde, ' +
      'Mops/Möpse, Dogge/Doggen, Bulldogge/Bulldoggen',
  },
  horse: {
    en: 'horse',
    de: 'n Pferd/Pferde',
    same: 'Ross/Rösser, Gaul/Gäule',
    kinds: 'pony, foal, mare, stallion, Pony/Ponys, Fohlen, Stute/Stuten, Hengst/Hengste',
  },
  sheep: { en: 'sheep/sheep', de: 'n Schaf/Schafe', kinds: 'lamb, ram, ewe, Lamm/Lämmer, Widder' },
  cow: {
    en: 'cow',
    de: 'f Kuh/Kühe',
    same: 'cattle/cattle, Rind/Rinder',
    kinds: 'bull, ox/oxen, calf/calves, Stier/Stiere, Bulle/Bullen, Ochse/Ochsen, Kalb/Kälber',
  },
  elephant: { en: 'elephant', de: 'm Elefant/Elefanten' },
  bear: { en: 'bear', de: 'm Bär/Bären', kinds: 'polar bear, grizzly, brown bear, Eisbär/Eisbären, Braunbär/Braunbären' },
  zebra: { en: 'zebra', de: 'n Zebra/Zebras' },
  giraffe: { en: 'giraffe', de: 'f Giraffe/Giraffen' },
  backpack: { en: 'backpack', de: 'm Rucksack/Rucksäcke', same: 'rucksack', kinds: 'satchel, school bag, Schulranzen, Ranzen' },
  umbrella: {
    en: 'umbrella',
    de: 'm Schirm/Schirme',
    same: 'Regenschirm/Regenschirme',
    kinds: 'parasol, sunshade, Sonnenschirm/Sonnenschirme',
  },
  handbag: { en: 'handbag', de: 'f Handtasche/Handtaschen', same: 'purse', kinds: 'shoulder bag, tote bag, Umhängetasche/Umhängetaschen' },
  tie: { en: 'tie', de: 'f Krawatte/Krawatten', same: 'necktie, Schlips/Schlipse', kinds: 'bow tie' },
  suitcase: { en: 'suitcase', de: 'm Koffer', kinds: 'trolley case, briefcase, Rollkoffer, Reisekoffer' },
  frisbee: { en: 'frisbee', de: 'f Frisbeescheibe/Frisbeescheiben', same: 'flying disc, Frisbee/Frisbees, Wurfscheibe/Wurfscheiben' },
  skis: { en: 'pair of skis/pairs of skis', de: 'n Paar Ski/Paar Ski', same: 'ski, skis/skis, Ski/Skier, Schi/Schier' },
  snowboard: { en: 'snowboard', de: 'n Snowboard/Snowboards' },
  'sports ball': {
    en: 'ball',
    de: 'm Ball/Bälle',
    same: 'sports ball',
    kinds:
      'football, soccer ball, basketball, tennis ball, baseball, volleyball, golf ball, rugby ball, Fußball/Fußbälle, ' +
      'Basketball/Basketbälle, Tennisball/Tennisbälle, Volleyball/Volleybälle, Golfball/Golfbälle, Handball/Handbälle',
  },
  kite: { en: 'kite', de: 'm Drachen', same: 'Lenkdrachen, Papierdrachen, Flugdrachen' },
  'baseball bat': { en: 'baseball bat', de: 'm Baseballschläger' },
  'baseball glove': { en: 'baseball glove', de: 'm Baseballhandschuh/Baseballhandschuhe', same: 'baseball mitt' },
  skateboard: { en: 'skateboard', de: 'n Skateboard/Skateboards', kinds: 'longboard, Longboard/Longboards' },
  surfboard: { en: 'surfboard', de: 'n Surfbrett/Surfbretter', same: 'Surfboard/Surfboards' },
  'tennis racket': { en: 'tennis racket', de: 'm Tennisschläger', same: 'tennis racquet' },
  bottle: {
    en: 'bottle',
    de: 'f Flasche/Flaschen',
    kinds:
      'water bottle, wine bottle, beer bottle, plastic bottle, glass bottle, Wasserflasche/Wasserflaschen, ' +
      'Weinflasche/Weinflaschen, Bierflasche/Bierflaschen, Plastikflasche/Plastikflaschen, PET-Flasche/PET-Flaschen',
  },
  'wine glass': { en: 'wine glass', de: 'n Weinglas/Weingläser', same: 'wineglass', kinds: 'champagne glass, goblet, Sektglas/Sektgläser' },
  cup: {
    en: 'cup',
    de: 'f Tasse/Tassen',
    kinds:
      'mug, coffee cup, teacup, tea cup, paper cup, coffee mug, beaker, Becher, Kaffeetasse/Kaffeetassen, Teetasse/Teetassen, Pappbecher, Kaffeebecher',
  },
  fork: { en: 'fork', de: 'f Gabel/Gabeln' },
  knife: { en: 'knife/knives', de: 'n Messer', kinds: 'kitchen knife/kitchen knives, Küchenmesser' },
  spoon: { en: 'spoon', de: 'm Löffel', kinds: 'teaspoon, tablespoon, Teelöffel, Esslöffel' },
  bowl: { en: 'bowl', de: 'f Schüssel/Schüsseln', same: 'Schale/Schalen', kinds: 'salad bowl, soup bowl, Salatschüssel/Salatschüsseln' },
  banana: { en: 'banana', de: 'f Banane/Bananen' },
  apple: { en: 'apple', de: 'm Apfel/Äpfel' },
  sandwich: {
    en: 'sandwich',
    de: 'n Sandwich/Sandwiches',
    kinds: 'hamburger, burger, cheeseburger, Hamburger, belegtes Brot/belegte Brote',
  },
  orange: { en: 'orange', de: 'f Orange/Orangen', same: 'Apfelsine/Apfelsinen', kinds: 'mandarin, tangerine, Mandarine/Mandarinen' },
  broccoli: { en: 'broccoli floret', de: 'm Brokkoli', same: 'broccoli/broccoli, Broccoli' },
  carrot: { en: 'carrot', de: 'f Karotte/Karotten', same: 'Möhre/Möhren, Mohrrübe/Mohrrüben' },
  'hot dog': { en: 'hot dog', de: 'm Hotdog/Hotdogs', same: 'hotdog' },
  pizza: { en: 'pizza', de: 'f Pizza/Pizzas', same: 'Pizzen' },
  donut: { en: 'donut', de: 'm Donut/Donuts', same: 'doughnut' },
  cake: { en: 'cake', de: 'm Kuchen', same: 'Torte/Torten', kinds: 'birthday cake, cupcake, pie, Geburtstagskuchen' },
  chair: {
    en: 'chair',
    de: 'm Stuhl/Stühle',
    kinds: 'armchair, office chair, wheelchair, rocking chair, stool, Sessel, Bürostuhl/Bürostühle, Liegestuhl/Liegestühle, Hocker',
  },
  couch: { en: 'couch', de: 'n Sofa/Sofas', same: 'sofa, settee, Couch/Couches' },
  'potted plant': {
    en: 'potted plant',
    de: 'f Topfpflanze/Topfpflanzen',
    same: 'house plant, houseplant, pot plant, Zimmerpflanze/Zimmerpflanzen',
    more: 'plant, Pflanze/Pflanzen',
  },
  bed: { en: 'bed', de: 'n Bett/Betten', kinds: 'bunk bed, double bed, Doppelbett/Doppelbetten, Hochbett/Hochbetten' },
  'dining table': {
    en: 'table',
    de: 'm Tisch/Tische',
    same: 'dining table, Esstisch/Esstische',
    kinds: 'kitchen table, Küchentisch/Küchentische',
  },
  toilet: { en: 'toilet', de: 'f Toilette/Toiletten', same: 'lavatory, toilet bowl, Klo/Klos, Toilettenschüssel/Toilettenschüsseln' },
  tv: {
    en: 'TV',
    de: 'm Fernseher',
    same: 'television, telly, television set, tv set, Fernsehgerät/Fernsehgeräte',
    kinds: 'monitor, flat screen, computer screen, computer monitor, Monitor/Monitore, Computerbildschirm/Computerbildschirme',
    more: 'screen, Bildschirm/Bildschirme',
  },
  laptop: {
    en: 'laptop',
    de: 'm Laptop/Laptops',
    same: 'notebook computer, laptop computer',
    more: 'computer, Computer, Notebook/Notebooks, Rechner',
  },
  mouse: { en: 'computer mouse/computer mice', de: 'f Computermaus/Computermäuse', same: 'mouse/mice, Maus/Mäuse' },
  remote: { en: 'remote control', de: 'f Fernbedienung/Fernbedienungen', same: 'remote', kinds: 'tv remote, game controller' },
  keyboard: { en: 'keyboard', de: 'f Tastatur/Tastaturen', same: 'computer keyboard' },
  'cell phone': {
    en: 'mobile phone',
    de: 'n Handy/Handys',
    same: 'cell phone, cellphone, mobile, mobile telephone, Mobiltelefon/Mobiltelefone',
    kinds: 'smartphone, iphone, Smartphone/Smartphones, iPhone/iPhones',
    more: 'phone, telephone, Telefon/Telefone',
  },
  microwave: { en: 'microwave', de: 'f Mikrowelle/Mikrowellen', same: 'microwave oven, Mikrowellenherd/Mikrowellenherde' },
  oven: { en: 'oven', de: 'm Backofen/Backöfen', same: 'Ofen/Öfen' },
  toaster: { en: 'toaster', de: 'm Toaster' },
  sink: { en: 'sink', de: 'n Waschbecken', same: 'washbasin, wash basin, Spülbecken, Spüle/Spülen', kinds: 'kitchen sink' },
  refrigerator: { en: 'refrigerator', de: 'm Kühlschrank/Kühlschränke', same: 'fridge' },
  book: { en: 'book', de: 'n Buch/Bücher', kinds: 'paperback, Taschenbuch/Taschenbücher' },
  clock: { en: 'clock', de: 'f Uhr/Uhren', kinds: 'wall clock, alarm clock, Wanduhr/Wanduhren, Wecker, Bahnhofsuhr/Bahnhofsuhren' },
  vase: { en: 'vase', de: 'f Vase/Vasen', kinds: 'flower vase, Blumenvase/Blumenvasen' },
  scissors: { en: 'pair of scissors/pairs of scissors', de: 'f Schere/Scheren', same: 'scissors/scissors' },
  'teddy bear': {
    en: 'teddy bear',
    de: 'm Teddybär/Teddybären',
    same: 'teddy, Teddy/Teddys',
    more: 'stuffed animal, soft toy, plush toy, Kuscheltier/Kuscheltiere, Stofftier/Stofftiere, Plüschtier/Plüschtiere',
  },
  'hair drier': { en: 'hair dryer', de: 'm Föhn/Föhne', same: 'hair drier, hairdryer, blow dryer, Haartrockner, Fön/Föne' },
  toothbrush: { en: 'toothbrush', de: 'f Zahnbürste/Zahnbürsten' },
}

const ANIMALS = ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe']
const MOTOR = ['car', 'motorcycle', 'bus', 'truck']
const VEHICLES = ['bicycle', ...MOTOR, 'airplane', 'train', 'boat']
const FRUIT = ['banana', 'apple', 'orange']
const VEGETABLES = ['broccoli', 'carrot']
const CUTLERY = ['fork', 'knife', 'spoon']

/** Classes of things that move by themselves. */
export const MOVERS: ReadonlySet<string> = new Set(['person', ...ANIMALS, ...VEHICLES])

/** Classes of things that hardly ever change their place. */
export const FIXTURES: ReadonlySet<string> = new Set([
  ...['traffic light', 'fire hydrant', 'stop sign', 'parking meter', 'bench', 'couch', 'bed', 'dining table', 'potted plant'],
  ...['toilet', 'sink', 'tv', 'microwave', 'oven', 'refrigerator'],
])

/** Classes of things between or around whose parts most of their box shows what stands behind: its colour is not theirs. */
export const SEEN_THROUGH: ReadonlySet<string> = new Set([
  ...['bicycle', 'airplane', 'kite', 'potted plant', 'chair', 'skis', 'baseball bat', 'tennis racket', 'scissors', 'toothbrush'],
  ...CUTLERY,
])

/** Words that stand for several classes; each means more than the classes listed. */
const GROUPS: readonly { words: string; classes: readonly string[] }[] = [
  { words: 'animal, creature, beast, Tier/Tiere, Lebewesen', classes: ANIMALS },
  { words: 'mammal, Säugetier/Säugetiere', classes: ANIMALS.slice(1) },
  { words: 'pet, house pet, Haustier/Haustiere', classes: ['cat', 'dog', 'bird'] },
  { words: 'wild animal, Wildtier/Wildtiere', classes: ['bird', 'elephant', 'bear', 'zebra', 'giraffe'] },
  { words: 'farm animal, livestock/livestock, Nutztier/Nutztiere, Vieh', classes: ['horse', 'sheep', 'cow', 'bird'] },
  {
    words: 'vehicle, means of transport/means of transport, Fahrzeug/Fahrzeuge, Verkehrsmittel',
    classes: VEHICLES,
  },
  { words: 'motor vehicle, road vehicle, Kraftfahrzeug/Kraftfahrzeuge, Kfz, Straßenfahrzeug/Straßenfahrzeuge', classes: MOTOR },
  { words: 'two-wheeler, Zweirad/Zweiräder', classes: ['bicycle', 'motorcycle'] },
  { words: 'road user, Verkehrsteilnehmer', classes: ['person', 'bicycle', ...MOTOR] },
  {
    words: 'furniture/furniture, piece of furniture/pieces of furniture, Möbel, Möbelstück/Möbelstücke',
    classes: ['chair', 'couch', 'bed', 'dining table', 'bench'],
  },
  { words: 'fruit, piece of fruit/pieces of fruit, Obst, Frucht/Früchte', classes: FRUIT },
  { words: 'vegetable, Gemüse', classes: VEGETABLES },
  {
    words: 'food, foodstuff, Essen, Lebensmittel, Nahrung, Speise/Speisen',
    classes: [...FRUIT, ...VEGETABLES, 'sandwich', 'hot dog', 'pizza', 'donut', 'cake'],
  },
  { words: 'cutlery/cutlery, silverware/silverware, Besteck/Bestecke', classes: CUTLERY },
  { words: 'tableware/tableware, crockery/crockery, dishes/dishes, Geschirr', classes: [...CUTLERY, 'cup', 'wine glass', 'bowl'] },
  { words: 'drinking glass, glass, Glas/Gläser, Trinkglas/Trinkgläser', classes: ['wine glass', 'cup'] },
  { words: 'bag, Tasche/Taschen', classes: ['handbag', 'backpack'] },
  { words: 'luggage/luggage, baggage/baggage, Gepäck, Gepäckstück/Gepäckstücke', classes: ['suitcase', 'backpack', 'handbag'] },
  {
    words: 'household appliance, kitchen appliance, Haushaltsgerät/Haushaltsgeräte, Küchengerät/Küchengeräte',
    classes: ['microwave', 'oven', 'toaster', 'refrigerator'],
  },
  {
    words: 'sports equipment/sports equipment, Sportgerät/Sportgeräte',
    classes: ['frisbee', 'skis', 'snowboard', 'sports ball', 'baseball bat', 'baseball glove', 'skateboard', 'surfboard', 'tennis racket'],
  },
]

/** Words for things that the detector does not know, with the classes nearest in kind. None of these words finds anything by itself. */
const NEAR: readonly { words: string; classes: readonly string[]; parts?: boolean }[] = [
  {
    parts: true,
    words:
      'face, head, hand, arm, leg, foot/feet, finger, eye, hair, palm, mouth, nose, ear, knee, elbow, shoulder, thumb, ' +
      'neck, Gesicht/Gesichter, Kopf/Köpfe, Hand/Hände, Arm/Arme, Bein/Beine, Fuß/Füße, Finger, Auge/Augen, Haar/Haare, ' +
      'Mund/Münder, Nase/Nasen, Ohr/Ohren, Knie, Ellbogen, Schulter/Schultern, Daumen, Hals/Hälse',
    classes: ['person'],
  },
  {
    words:
      'helmet, hat, cap, glove, sleeve, scarf/scarves, sock, shirt, t-shirt, jacket, coat, trousers, dress, skirt, shoe, ' +
      'boot, uniform, mask, glasses, hoodie, vest, Helm/Helme, Hut/Hüte, Mütze/Mützen, Handschuh/Handschuhe, Ärmel, ' +
      'Hemd/Hemden, Jacke/Jacken, Mantel/Mäntel, Hose/Hosen, Kleid/Kleider, Rock/Röcke, Schuh/Schuhe, Stiefel, ' +
      'Maske/Masken, Brille/Brillen, Weste/Westen, Warnweste/Warnwesten, Schal/Schals, Socke/Socken',
    classes: ['person'],
  },
  { words: 'crowd, group, team, Menge/Mengen, Gruppe/Gruppen, Menschenmenge/Menschenmengen', classes: ['person'] },
  {
    words:
      'excavator, digger, bulldozer, tractor, crane, forklift, tank, trailer, caravan, Bagger, Planierraupe/Planierraupen, ' +
      'Traktor/Traktoren, Trecker, Kran/Kräne, Gabelstapler, Panzer, Anhänger, Wohnwagen',
    classes: ['truck', 'car', 'bus'],
  },
  { words: 'ambulance, Krankenwagen, Rettungswagen', classes: ['truck', 'car', 'bus'] },
  {
    words: 'helicopter, drone, rocket, balloon, Hubschrauber, Helikopter, Drohne/Drohnen, Rakete/Raketen, Ballon/Ballons',
    classes: ['airplane', 'kite'],
  },
  {
    words:
      'wheel, tyre, number plate, licence plate, windscreen, Reifen, Kennzeichen, Nummernschild/Nummernschilder, Windschutzscheibe/Windschutzscheiben',
    classes: ['car'],
  },
  { words: 'kick scooter, electric scooter, e-scooter, E-Scooter, Tretroller', classes: ['bicycle', 'motorcycle', 'skateboard'] },
  {
    words: 'sign, traffic sign, road sign, billboard, Schild/Schilder, Verkehrsschild/Verkehrsschilder, Verkehrszeichen',
    classes: ['stop sign', 'traffic light'],
  },
  {
    words:
      'rabbit, hare, fox, wolf/wolves, squirrel, deer/deer, pig, goat, monkey, lion, tiger, rat, donkey, camel, hamster, ' +
      'Kaninchen, Hase/Hasen, Fuchs/Füchse, Wolf/Wölfe, Eichhörnchen, Hirsch/Hirsche, Reh/Rehe, Schwein/Schweine, ' +
      'Ziege/Ziegen, Affe/Affen, Löwe/Löwen, Tiger, Ratte/Ratten, Esel, Kamel/Kamele',
    classes: ['dog', 'cat', 'sheep'],
  },
  {
    words:
      'kettle, teapot, jug, pitcher, pot, frying pan, tin can, jar, Kessel, Wasserkocher, Teekanne/Teekannen, Kanne/Kannen, Krug/Krüge, Topf/Töpfe, Pfanne/Pfannen, Dose/Dosen',
    classes: ['bottle', 'cup', 'bowl'],
  },
  { words: 'plate, Teller', classes: ['bowl', 'cup'] },
  {
    words:
      'stove, cooker, hob, dishwasher, washing machine, Herd/Herde, Kochfeld/Kochfelder, Spülmaschine/Spülmaschinen, Waschmaschine/Waschmaschinen',
    classes: ['oven', 'microwave', 'refrigerator'],
  },
  {
    words: 'shelf/shelves, cupboard, desk, wardrobe, cabinet, Regal/Regale, Schrank/Schränke, Schreibtisch/Schreibtische',
    classes: ['dining table', 'chair'],
  },
  {
    words: 'tree, flower, bush, leaf/leaves, grass, Baum/Bäume, Blume/Blumen, Busch/Büsche, Blatt/Blätter, Gras',
    classes: ['potted plant'],
  },
  {
    words:
      'tomato/tomatoes, potato/potatoes, cauliflower, pear, lemon, grape, cucumber, Tomate/Tomaten, Kartoffel/Kartoffeln, ' +
      'Blumenkohl, Birne/Birnen, Zitrone/Zitronen, Traube/Trauben, Gurke/Gurken',
    classes: ['apple', 'orange', 'broccoli'],
  },
  { words: 'bread, loaf/loaves, Brot/Brote, Brötchen', classes: ['sandwich', 'cake'] },
  { words: 'wristwatch, stopwatch, timer, Armbanduhr/Armbanduhren, Stoppuhr/Stoppuhren', classes: ['clock'] },
  { words: 'doll, toy, figurine, puppet, Puppe/Puppen, Spielzeug/Spielzeuge, Figur/Figuren', classes: ['teddy bear'] },
  { words: 'tablet, printer, camera, Tablet/Tablets, Drucker, Kamera/Kameras', classes: ['laptop', 'cell phone', 'tv'] },
  {
    words:
      'insect, bee, spider, butterfly/butterflies, ant, fish/fish, snake, Insekt/Insekten, Fliege/Fliegen, Biene/Bienen, ' +
      'Spinne/Spinnen, Schmetterling/Schmetterlinge, Ameise/Ameisen, Fisch/Fische, Schlange/Schlangen',
    classes: [],
  },
  {
    words:
      'house, building, roof, tower, door, window, wall, road, street, bridge, sky/skies, cloud, lamp, box/boxes, weapon, ' +
      'gun, pistol, rifle, smoke, Haus/Häuser, Gebäude, Dach/Dächer, Turm/Türme, Tür/Türen, Fenster, Wand/Wände, ' +
      'Straße/Straßen, Brücke/Brücken, Himmel, Wolke/Wolken, Lampe/Lampen, Kiste/Kisten, Karton/Kartons, Tafel/Tafeln, ' +
      'Waffe/Waffen, Pistole/Pistolen, Gewehr/Gewehre, Feuer, Rauch',
    classes: [],
  },
]

/** Clothes, by the half of the body that they cover; their colour is measured there. None of them is found by itself. */
const GARMENTS: Readonly<Record<'upper' | 'lower', string>> = {
  upper:
    'shirt, t-shirt, tee shirt, tshirt, jacket, coat, hoodie, hoody, vest, sweater, pullover, jumper, cardigan, blouse, ' +
    'sweatshirt, polo shirt, jersey, blazer, tunic, anorak, Hemd/Hemden, T-Shirt/T-Shirts, Shirt/Shirts, Jacke/Jacken, ' +
    'Mantel/Mäntel, Weste/Westen, Warnweste/Warnwesten, Pullover, Pulli/Pullis, Hoodie/Hoodies, ' +
    'Kapuzenpulli/Kapuzenpullis, Bluse/Blusen, Oberteil/Oberteile, Sweatshirt/Sweatshirts, Trikot/Trikots, ' +
    'Strickjacke/Strickjacken, Anorak/Anoraks',
  lower:
    'trousers/trousers, pants/pants, jeans/jeans, shorts/shorts, skirt, leggings/leggings, slacks/slacks, Hose/Hosen, Jeans, Shorts, Rock/Röcke, Leggings',
}

/** Short English words that spell a different German noun; as German nouns they need a capital, or a German sentence. */
const FALSE_FRIENDS = new Set(['bank', 'bahn', 'brief', 'handy', 'herd', 'hut', 'kind', 'rad', 'rock', 'tier'])

export const PERSON = 'person'

/** Every class of the table, whatever a pack knows of them. */
export const THINGS: readonly string[] = Object.keys(TABLE)

/** What a word finds. */
export interface Meaning {
  classes: string[]
  /** The classes mean more than the word: "poodle" finds dogs. */
  wider: boolean
  /** The word means more than the classes: an animal of another class is not found. */
  narrower: boolean
}

interface Reading extends Meaning {
  language: Language
  /** Whether the word only has classes near to it here, and no meaning of its own. */
  near: boolean
}

/** One spelling for look-ups: lower case, umlauts spelt out, hyphens and runs of spaces as one space. */
function spelling(word: string): string {
  return word
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .replaceAll(/[\s\-_]+/g, ' ')
    .trim()
}

/** Regular English plural. */
function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return /(s|x|ch|sh|z)$/.test(word) ? `${word}es` : `${word}s`
}

const isGerman = (word: string) => /^[A-ZÄÖÜ]/.test(word) && word !== 'TV'

/** Singular and plural of one word of the table. */
function pairOf(entry: string): [one: string, many: string] {
  const [one = entry, many = isGerman(entry) ? one : pluralOf(one)] = entry.split('/')
  return [one, many]
}

/** Every form in which a word of the table may occur in a sentence. */
function formsOf(entry: string): string[] {
  const [one, many] = pairOf(entry)
  if (!isGerman(entry)) return [one, many, `${one}'s`].map(spelling)
  // Genitive of the singular, dative of the plural, and plurals in s.
  return [one, many, `${one}s`, `${one}es`, `${one}ses`, /[ns]$/.test(many) ? many : `${many}n`].map(spelling)
}

const READINGS = new Map<string, Reading[]>()

function learn(words: string | undefined, meaning: Meaning, near = false): void {
  for (const entry of (words ?? '').split(', ').filter((word) => word !== '')) {
    const language = isGerman(entry) || entry === 'jemand' ? 'de' : 'en'
    for (const form of new Set(formsOf(entry))) READINGS.set(form, [...(READINGS.get(form) ?? []), { ...meaning, language, near }])
  }
}

for (const [name, { en, de, same, kinds, more }] of Object.entries(TABLE)) {
  const exact = { classes: [name], wider: false, narrower: false }
  learn([name, en, de.slice(2)].join(', '), exact)
  learn(same, exact)
  learn(kinds, { ...exact, wider: true })
  learn(more, { ...exact, narrower: true })
}
for (const { words, classes } of GROUPS) learn(words, { classes: [...classes], wider: false, narrower: true })
for (const { words, classes } of NEAR) learn(words, { classes: [...classes], wider: false, narrower: false }, true)

const PARTS = new Set(NEAR.filter(({ parts }) => parts).flatMap(({ words }) => words.split(', ').flatMap(formsOf)))
const WORN = new Map(
  (['upper', 'lower'] as const).flatMap((half) =>
    GARMENTS[half].split(', ').flatMap((entry) => formsOf(entry).map((form) => [form, half] as const)),
  ),
)

/** Whether the word is a part of a person, which is absent if nobody is there. */
export function isPartOfPerson(word: string): boolean {
  return PARTS.has(spelling(word))
}

/**
 * Which half of a person the garment covers; null where the word is no garment, or where a half does not show its place or colour (hat,
 * dress, shoe).
 */
export function garmentOf(word: string, language: Language): 'upper' | 'lower' | null {
  const form = spelling(word)
  if (FALSE_FRIENDS.has(form) && language !== 'de') return null
  return WORN.get(form) ?? null
}

/** The table's readings of a word, in the language of the sentence if that is known, else by its capital. */
function readingsOf(word: string, language: Language | undefined): Reading[] {
  const form = spelling(word)
  const capital = isGerman(word.trim())
  if (FALSE_FRIENDS.has(form) && !(language === 'de' || (language === undefined && capital))) return []
  const all = READINGS.get(form) ?? []
  const preferred = language ?? (capital ? 'de' : 'en')
  const own = all.filter((reading) => reading.language === preferred)
  return own.length > 0 ? own : all
}

/**
 * The classes that a word stands for, in either language, singular or plural.
 *
 * @param known The pack's classes; a word that is the name of one needs no table.
 * @param language Of the sentence that contains the word.
 * @returns Null for things that the pack cannot see: never a guess.
 */
export function classesOf(word: string, known: readonly string[], language?: Language): Meaning | null {
  const own = readingsOf(word, language)
  const [near, wider] = [own.some((reading) => reading.near), own.some((reading) => reading.wider)]
  const meant = [...new Set(own.flatMap((reading) => reading.classes))]
  const classes = meant.filter((name) => known.includes(name))
  // Names that are not of the table: what people drew, or what a pack of any words looks for.
  const others = known.filter((name) => !(name in TABLE))
  const named = others.find((name) => [name, pluralOf(name)].some((form) => spelling(form) === spelling(word)))
  // What is called so is meant, and the table's class may show more of it: a car that nobody called a van.
  if (named !== undefined && (own.length === 0 || near || wider))
    return { classes: [named], wider: false, narrower: !near && classes.length > 0 }
  // "glasses" may be for drinking or for reading: a word is refused if one of its meanings is.
  if (near) return null
  const all = [...classes, ...(wider ? [] : others.filter((name) => isKind(name, meant)))]
  return all.length === 0 ? null : { classes: all, wider, narrower: own.some(({ narrower }) => narrower) }
}

/** Whether all that a name may mean is among some classes: a "van" is a vehicle. */
function isKind(name: string, classes: readonly string[]): boolean {
  const own = readingsOf(name, undefined)
  return own.length > 0 && own.every((reading) => !reading.near && reading.classes.every((one) => classes.includes(one)))
}

/** Whether the table has the word, even if only to refuse it. */
export function isThing(word: string, language?: Language): boolean {
  return readingsOf(word, language).length > 0
}

const SUGGESTIONS = 3
/** Shorter words are too similar in spelling to too many others. */
const SPELT = 4

/** Up to three classes nearest to a word that finds nothing: by kind if the table has it, by its last part, else by spelling. */
export function nearestWords(word: string, known: readonly string[]): string[] {
  const among = (classes: readonly string[]) => [...new Set(classes)].filter((name) => known.includes(name)).slice(0, SUGGESTIONS)
  const form = spelling(word)
  const told = READINGS.get(form)
  if (told) return among(told.flatMap(({ classes }) => classes))
  // "police dog", "Polizeihund": the last part says what it is. The longest match counts.
  const heads = [...READINGS].filter(([other]) => form.endsWith(` ${other}`) || (other.length >= SPELT && form.endsWith(other)))
  const head = heads.sort(([a], [b]) => b.length - a.length)[0]
  if (head) return among(head[1].flatMap(({ classes }) => classes))
  if (form.length < SPELT) return []
  // The first letter is seldom mistyped: "weather" does not mean father.
  const allowed = form.length < 7 ? 1 : 2
  const spelt = [...READINGS]
    .filter(([other]) => other.length >= SPELT && other[0] === form[0] && Math.abs(other.length - form.length) <= allowed)
    .map(([other, readings]) => ({ readings, distance: editDistance(form, other) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
  return among(spelt.flatMap(({ readings }) => readings.filter(({ near }) => !near).flatMap(({ classes }) => classes)))
}

/** The least number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment distance). */
export function editDistance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    ;[before, last] = [last, row]
  }
  return last[b.length] ?? 0
}

/** The name of a class. A class without an entry keeps its own name, in quotation marks in German. */
export function nounOf(name: string, language: Language): { one: string; many: string; gender: Gender } {
  const entry = TABLE[name]
  if (language === 'en') {
    const [one, many] = pairOf(entry?.en ?? name)
    return { one, many: one === 'TV' ? 'TVs' : many, gender: 'n' }
  }
  if (!entry) return { one: `„${name}“`, many: `„${name}“`, gender: 'n' }
  const [one, many] = pairOf(entry.de.slice(2))
  return { one, many, gender: entry.de.startsWith('m') ? 'm' : entry.de.startsWith('f') ? 'f' : 'n' }
}

const NUMBERS = {
  en: ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'],
  de: ['keine', 'ein', 'zwei', 'drei', 'vier', 'fünf', 'sechs', 'sieben', 'acht', 'neun', 'zehn', 'elf', 'zwölf'],
} as const

export function numberName(count: number, language: Language): string {
  return NUMBERS[language][count] ?? String(count)
}

/** The number that a word or digits mean; null if there is none. */
export function numberOf(word: string): number | null {
  if (/^\d+$/.test(word)) return Number(word)
  const of = [NUMBERS.en, NUMBERS.de].map((names) => names.findIndex((name) => name === word.toLowerCase())).find((number) => number > 0)
  return of ?? (/^eine[nmr]?$/.test(word) ? 1 : null)
}

/** "a dog", "two dogs", "no dogs"; "ein Hund", "eine Katze", "zwei schwarze Hunde", "keine Hunde" (nominative). */
export function nameOf(name: string, count: number, language: Language, colour?: Colour): string {
  const { one, many, gender } = nounOf(name, language)
  if (count !== 1)
    return [numberName(count, language), ...(colour ? [colourName(colour, language, count === 0 ? 'en' : 'e')] : []), many].join(' ')
  const adjective = colour ? `${colourName(colour, language, { m: 'er', f: 'e', n: 'es' }[gender])} ` : ''
  if (language === 'de') return `${gender === 'f' ? 'eine' : 'ein'} ${adjective}${one}`
  // By sound: "a unicorn", "a European", "an hour". People may name boxes with any word.
  const first = adjective || one
  const vowel = /^(?:[aeiou]|hour|honest|heir)/i.test(first) && !/^(?:uni(?![nm])|us[eu]|euro|ewe|one\b)/i.test(first)
  return `${vowel ? 'an' : 'a'} ${adjective}${one}`
}

/** "the dog", "der Hund", "die schwarze Katze" (nominative). */
export function theNameOf(name: string, language: Language, colour?: Colour): string {
  const { one, gender } = nounOf(name, language)
  const adjective = colour ? `${colourName(colour, language, 'e')} ` : ''
  return language === 'en' ? `the ${adjective}${one}` : `${{ m: 'der', f: 'die', n: 'das' }[gender]} ${adjective}${one}`
}

const GERMAN_COLOURS: Record<Colour, string> = {
  black: 'schwarz',
  white: 'weiß',
  grey: 'grau',
  red: 'rot',
  orange: 'orange',
  yellow: 'gelb',
  green: 'grün',
  blue: 'blau',
  purple: 'lila',
  pink: 'rosa',
  brown: 'braun',
}

/** @param ending Of the German adjective; three colours take none. */
export function colourName(colour: Colour, language: Language, ending = ''): string {
  if (language === 'en') return colour
  return GERMAN_COLOURS[colour] + (['orange', 'purple', 'pink'].includes(colour) ? '' : ending)
}

const COLOUR_WORDS: Readonly<Record<string, Colour>> = {
  ...Object.fromEntries(Object.entries(GERMAN_COLOURS).map(([colour, word]) => [spelling(word), colour as Colour])),
  ...Object.fromEntries(Object.keys(GERMAN_COLOURS).map((colour) => [colour, colour as Colour])),
  gray: 'grey',
  silver: 'grey',
  violet: 'purple',
  magenta: 'pink',
  violett: 'purple',
  silbern: 'grey',
  purpur: 'purple',
  orangefarben: 'orange',
}

/** The basic colour that a word means, in either language, with or without an ending ("rotes") or a shade ("dunkelrot"). */
export function colourOfWord(word: string): Colour | null {
  const form = spelling(word).replace(/^(hell|dunkel|light|dark|pale|bright) ?(?=.)/, '')
  return COLOUR_WORDS[form] ?? COLOUR_WORDS[form.replace(/(e|er|es|en|em)$/, '')] ?? null
}
