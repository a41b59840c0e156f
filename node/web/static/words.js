// Words of key cards: 2,048 French ones of four to nine letters, written without accents, so that
// each carries eleven bits and can be typed on any keyboard. The order matters to nobody: a card
// says the words themselves. Seven of them are 77 bits, drawn by the browser, never chosen.

const WORDS = `
abeille abricot absent accent accord acheter acide acier acteur actif action adapter adjoint
admirer adopter adresse adroit adulte affaire affiche agenda agile agneau agrafe agrume aider
aigle aiguille ailleurs aimable aimant aisance ajouter ajuster alarme album alcool algue aliment
allier allumer alouette alpage alpin amande amarre ambiance ambre amener amical amiral amitie
ample amuser ananas ancien ancre angle anguille animal animer anis anneau annonce antenne
antique apaiser aplomb appel apport appui aquarelle arbitre arbuste arcade archet archive ardent
ardoise argent argile armoire arome arracher arranger arriver arrondi arroser artichaut article
artisan artiste asperge assiette assurer astre astuce atelier atlas atome atout attacher
attendre attirer aube auberge aubergine audace auditeur automne autour autre avaler avance
avenir avenue avion avis avocat avoine avouer avril azur babine badge bagage bague baguette
baigner baignoire baisser balade balai balance balcon baleine balise ballet ballon banane banc
bandeau banjo banlieue banque banquet baobab baptiser barbue baril baron barque barrage barre
basalte bascule basilic bassin bastide bataille bateau batelier bavard bazar beaucoup beige
belote bercail berceau berger besace besoin beurre bijou bilan billard billet biniou biscuit
bison bistro blanc blason bleuet blond blouse bobine bocage bocal boire boiserie boisson bolide
bonbon bonheur bonjour bonnet bordure borne bosquet botte boucle bouclier bouder boudin bougie
boulon bouquet bourdon bourg bourse boussole boutique bouton bouvreuil bracelet braise branche
brasier brave brebis bretelle brevet bricoler bride brigade brillant brioche brique broche
brochet broder bronze brosse brouette brousse bruit brume brun brusque bruyant bulbe bulle
bureau burin buse buvard cabane cabinet cacao cachette cadeau cadence cadran cadre cahier
caillou caisse calcul caleche calepin calibre calmar calme calorie camarade camion camomille
campagne campus canal canape canard candidat canevas cannelle canoter cantine canton canyon
capable capitale caprice capsule capuche caractere carafe caramel caravane carbone caresse
cargaison caribou carillon carnaval carnet carotte carpe carreau carrosse cartable carton
cascade caserne casque cassis castor catalogue cause cavalier caverne caviar cercle cerfeuil
cerise cerner certain cerveau chacal chaine chair chaise chalet chaleur chaloupe chameau champ
chance chanson chant chapeau chapitre charbon chardon charme charpente chasse chat chaton chaud
chausson chef chemin chemise chenal chercher cheval cheveu chevreuil chien chiffon chiffre
chimie chiot chocolat choisir chose chouette chrome chute cible cidre ciel cigale cigogne ciment
cinq cintre cirage cirque ciseau citadelle citerne citoyen citron civil clan clapotis clarte
classe clavier clef client cligner climat cloche cloison clore cloture clou clown cocher cocon
coffre cohorte coiffer coin colibri colis coller colline colombe colonne colza combler comete
comique commerce commode commune compas complet compote comptoir comte concert conclure conduire
confier conge conique conseil convier copain copeau copier coquille corail corbeau corbeille
cordage cordon cornet corps correct cortege cosmique costume coton coude coudre couleur couloir
couple courage courbe coureur couronne courrier cours cousin coussin couteau couvert crabe craie
crainte crapaud craquer cratere cravate crayon creuser crevette cribler crier crique cristal
critique crochet crocodile croire croix croquer croute cruche cube cueillir cuillere cuir
cuisine cuivre culture curieux cycle cyclone cygne cylindre cypres daim dalle damier danger
danse dauphin davantage debout dedans degre dehors demain demeure demi dentelle dentier depuis
dernier derriere dessert dessin dette deux devant devenir deviner devise devoir dialogue diamant
dictee diffus digne digue dimanche dindon diner dinosaure diplome direct diriger discret disque
distance divan divers dixieme docteur dodu doigt domaine dominer domino donjon donner dorade
dormir dortoir dosage dossier doubler douceur douche douer douve douze dragon drap dresser droit
drole dune durable durcir duree duvet ebene ecart echange echarpe echelle eclair ecole ecorce
ecran ecrire ecureuil edifice effet effort egal eglise elan eleve eloge email embarquer embleme
embrun emploi emporter encadrer enclos encre endroit enfance enfin engager engin enigme enjeu
enlever enorme enseigne ensuite entasser entendre entourer entrain envie envoyer epais epaule
epice epingle eponge epoque epreuve equipe erable escale escargot espace espadon espoir esprit
essai essence essieu essor estime estrade etable etage etang etape etendre etoile etonner etroit
etude evasion eveil exact examen exemple exiger exil exode exotique exploit exprimer extrait
fabrique fabuleux facade facile facteur faible faisan falaise fameux famille fanfare fantaisie
farandole farceur farine faucon fauteuil faveur femme fenouil ferry fertile festin fete feuille
feutre fiable fibre ficelle fichier fidele fier figure filet filleul film filtre final finesse
fiole fixer flacon flamme flaque flatter fleur fleuve flocon florin flotte fluide flute foin
foire folklore foncer fonction fondue fontaine force forgeron format formule fortune forum fosse
fougere fouiller foulard foule four fourmi foyer fracas fraction fragile fraise framboise franc
frapper frein frelon frere fresque friand friche friser frite froid fromage front frotter fruit
fuchsia fugue fuir funambule furet fusain fuseau fusion futaie futile futur gabarit gagner
gaiete galaxie galerie galet galop gamelle gamin gamme garage garant garcon garder gardien gare
garnir gazelle gazon geant gelee gencive general genet genou genre gentil geste gibier girafe
giroflee givre glace glaieul gland glisser globe gloire gluant golfe gondole gorge gorille
gouache goupille gourde gousse gouter goutte gouverner gracieux grade graine grammaire grand
grange granit grappe gras gratin gravier gravure grelot grenade grenier griffe grillon grimace
grimper grive gros grotte groupe grue gruyere guerrier guetter guide guidon guimauve guise
guitare habile habit haie halle hamac hamster hanche hangar hanneton hardi haricot harmonie
harpe hasard haut havre herbe hercule herisson heritage hermine heron heros heure heureux hibou
hippique histoire hiver hockey homard homme honneur honorer horizon horloge hormis hotel houle
housse houx huile huit humain humble humide humour hutte hyacinthe hydravion hymne iceberg icone
ideal idee idole igloo ignorer iguane illustre image imiter immense immobile impact imprimer
inclure index indigo industrie inedit infini inox inscrire insecte insigne inspirer instant
intact intense intime intrigue inventer inviter iris ironie isoler issue ivoire jacinthe jadis
jaguar jaillir jalon jamais jambe jambon janvier japper jardin jasmin jauge javelot jeton jeudi
jeune joaillier joie jongler jonquille jouet joueur journal jovial joyau joyeux judo juger juin
jumeau jumelle jument jungle jupe jurer jusque juste justice juteux kaki kangourou karate kayak
kepi kermesse kilo kimono kiosque kiwi klaxon koala label labour lacet lagune laine laisser
laitue lama lambris lampe lancer landau langage langue lanterne lapin lard large larve lasso
laurier lavabo lavande laver lecteur lecture legende leger legume lendemain lentille leopard
lessive lettre leurre levain levier levure lezard liane liasse liberte licorne lien lieu lievre
lilas limace limite limon limpide linge lingot lionceau liqueur liquide lisiere lisse literie
litre lobe locataire logis lointain loisir long lotus louange louche loupe lourd loutre loyal
lucarne lucide lueur luge lumiere lundi lunette lustre luth lutin lutte luxe lycee lyre macaron
machine madrier magasin magie magnolia maigre maillot mairie maison majeur malgre malice malin
mammouth manche mandarine manege mangue maniere manoir manteau manuel maquette marais marbre
marchand mardi maree mariage marin marmite marotte marquer marraine marron marteau mascotte
masque massif matelas matelot matiere matou mauve maxime mecano medaille medecin meilleur
melange melodie melon membre memoire menhir mentir menton menu mercredi merite merlan merle
message mesure metal meteo methode metier metro meuble microbe midi miel mieux migrer milieu
mille mimosa mince minerai minime ministre minute mirabelle miracle miroir mission mistral
mitaine mobile modele modeste moelleux moineau mois moisson moitie molaire moment monde moniteur
monnaie montagne montre monument morceau morse mortier morue mosaique moteur motif moudre
mouette moulin moustache mouton moyen muet mugir muguet mulet multiple muraille murene murmure
muscade muscle museau musee musique mutuel myope myrtille mystere mythe nacelle nacre nageur
naif nain naissance nappe narcisse narine narrer natation nation natte nature naufrage navet
navette navire nectar neige nenuphar nerveux nettoyer neuf neutre neveu niche nickel niece
niveau noble nocturne noeud noir noisette nomade nombre nommer nord normal notaire note nougat
nourrir nouveau novembre noyau noyer nuage nuance nuit nuque nylon oasis objet obliger observer
obstacle obtenir occasion ocean octave octobre odeur odorat office offrir ogive oignon oiseau
olive ombrage omelette omettre oncle onyx onze opale opera opinion optique orage orbite
orchestre ordinaire ordre oreille organe orgue orient orifice origan orme orner orque ortie
osciller osier otarie ouate oublier oued ouest ouragan ourlet ours oursin outil ouvrage ouvrir
ovale oxygene ozone pacifier pacte page paille paire paisible palais palette palme palourde
panache panda panier panneau panorama pantalon panthere papaye papier papillon papoter paprika
paquebot paquet parade parasol parc pardon pareil parfum parler parmi parole parrain parsemer
partir parure parvenir passage pastel patate patient patin patron paupiere pause pavage pavillon
payer paysage peche pedale peigne peindre pelage pelican pelle peluche pendule pensee pente
pepin pepite percer perche perdrix periode permis perron perroquet persil personne peser petale
petit petrole peuple phare phoque photo phrase piano pichet piece pied pierre pieuvre pigeon
pilier pilote piment pinceau pingouin pinson pioche pion pipeau piquet pirate pirogue pirouette
piscine piste pivert pivoine pivot placard place plafond plaisir planche planete plante plaque
plateau platine plein pleurer pliage plier plomb plonger pluie plume plus pneu podium poele
poesie poete poids poignee point poisson poitrine poivre police pollen polo pomme pompier pompon
poncho pondre poney pont populaire portail poser possible potage poteau potier potiron pouce
poulain poulie poumon poupee pourpre poussin pouvoir prairie praline preau precieux predire
preface prenom presque preuve prince priorite prise prisme prix probleme prochain produit profil
projet promesse pronom propre prospere proue prouesse province prudent prune pruneau public puce
puiser puits pull pulpe puma pupitre puree puzzle pyjama pyramide python quai qualite quantite
quart quatre quelque quenelle question quille quinze quitter quiz quota quotient rabais raboter
raccord race racine raconter radar radis rafale raffiner rafting ragout raideur rail raisin
rallye ramage rameau ramener rampe ranch rang ranger rapace rapide raquette raser rassurer
ration ravin ravir rayon reagir realiser rebord recent recette recolte recueil reculer rediger
refaire refleter refrain refuge regard regime region regle regulier rejoindre relais relief
remarque remise remorque remuer renard rencontre rendre rene renne renommer rentrer repas repere
repit reponse repos requin reseau resine resoudre respect reste retour reussir revanche reveil
revenir rever revoir revue rhubarbe rideau rieur rigole rimer rincer ringard riposte rire risque
rivage rival riviere robinet robuste rocher rodeo rogner romain roman ronce rond ronfler
roquette rosace rose roseau rosier rotule rouge rouille rouleau royal ruban rubis ruche rude
ruelle rugby rugir ruine ruisseau rumeur rural rustique rythme sable sabot sachet sacoche safran
saisir saison salade salaire salete salive saluer samedi sandale sanglier sapin sardine sauce
saumon saut savane saveur savoir savon scarabee scene sceptre schema science scierie scolaire
scooter score scout scruter sculpter seance seau secouer secret secteur securite seduire seigle
seize sejour selection selle semaine sembler semelle semer semoule sentier sept serieux serin
seringue serpent serre serrure service serviette seuil seve siecle siege sieste siffler signal
silence sillage silo simple sincere sirene sirop sismique site situer sobre societe socle soeur
sofa soigner soir soixante soldat soleil solide sommet sonate songer sorbet sorcier sorte sosie
soudain souffle souhait soulier soupe source sourd sourire souris soutien souvenir spatial
special sphere spirale sport square squelette stade statue stock store strate studio style stylo
subtil succes sucre suite suivre sujet sultan superbe support surface surfer surgir surprise
sursaut symbole sympathie syndic systeme tabac tableau tablier tabouret tache tactile taille
talent talon talus tambour tamis tampon tandem tangible taniere tante taper tapir taquin tarder
tarif tarte tasse tatou taupe taureau taxi technique teinture telescope temoin tempete temple
tempo temps tenir tennis tension tenue terme terrain terrible test texte theatre theme thermos
thon thym tiare tibia ticket tiede tige tilleul timbre timide tirage tirelire tiroir tisane
tisser toast tofu toit tomate tombola tonique tonneau tonnerre topaze toque torche tordre
tornade torrent tortue total toucan toucher toujours toupie tour tourbe tournesol tousser
toutefois tracer traduire trafic train trait trajet tramway tranche transport trapeze travail
traverse trefle treize tremplin trente tresor tresse treuil triangle tribu tricot trier
trimestre trio triomphe tripler triste trois trombone tronc trophee tropical trotter trottoir
trou trouver truelle truffe truite tuba tuile tulipe tunnel turban turquoise tuteur tutu tuyau
tweed type typique unanime union unique unir unite univers urbain urgence urne usage usine usure
utile utopie vacances vacarme vache vague vaillant vaisseau valet valeur vallon valse vanille
vapeur vaquer variable vaste vautour veau vedette vegetal veille veine velo velours vendredi
vent ventre verbe verdir verger verite vernis verrou version vertige verveine vestiaire viaduc
vibrer victoire vide vieux vigie vignoble vigueur village vinaigre vingt violette violon vipere
virgule visage viser visite vitamine vitrail vitrine vivace vivre vocal voeu voile voisin
voiture voix volaille volcan voler volonte volume voter vouloir voute voyage voyelle voyou vrai
vulcain wagon yacht yaourt yoga zebre zenith zephyr zigzag zinc zone zoom
`.trim().split(/\s+/);

/** As many words as asked for, each drawn evenly: 2,048 divides what two bytes can say. */
export function draw(count) {
  return [...crypto.getRandomValues(new Uint16Array(count))].map((drawn) => WORDS[drawn % WORDS.length]);
}

/** Words as they were typed, in the spelling of the list: without accents, capitals, signs. */
export function read(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().split(/[^a-z]+/).filter(Boolean);
}

/** The typed words that are on no card. */
export const unknown = (words) => words.filter((word) => !WORDS.includes(word));
