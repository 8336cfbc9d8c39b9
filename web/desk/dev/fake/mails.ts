// SPDX-License-Identifier: EUPL-1.2
//! Made-up mail in Dutch and English. Every address ends in `.example`.

import type * as T from "@belofte/api-client";

export interface Story {
  name: string;
  address: string;
  subject: string;
  lines: {
    from: "them" | "us" | "note" | "auto";
    text: string;
    html?: string;
    files?: [string, string, number][];
    more?: Pick<T.Message, "cover" | "invitation" | "signature_from">;
  }[];
  /** What was found out about the sender; verified by signature and server without it. */
  sender?: "unknown" | "forged" | "fetched";
}

const banner =
  '<div style="background-color:#f4efe6;padding:16px"><table width="100%" style="max-width:560px;background:#ffffff;border:1px solid #e2d8c6" cellpadding="16"><tr><td><img data-remote-src="https://beeld.linde-mode.example/kop.png" alt="Linde Mode" width="520"><h2 style="color:#7a4b1e">Uw retour is aangemeld</h2><p>Beste mevrouw Terpstra,</p><p>Wij hebben uw retour <b>R-2231</b> ontvangen. U krijgt het bedrag binnen vijf werkdagen terug.</p><p><a href="https://linde-mode.example/retour">Bekijk uw retour</a></p><img data-remote-src="https://meting.linde-mode.example/o.gif" width="1" height="1" alt=""></td></tr></table></div><p>Klopt dit? Ik heb twee truien teruggestuurd en zie er maar één.</p>';

const quotedHtml =
  '<p>Hi,</p><p>That worked, thank you. One more question: the second invoice still shows the old address. Could you correct it and send me a new copy?</p><p>Kind regards,<br>Oliver Hartley<br><i>Hartley &amp; Moss Joinery</i></p><p>On 12 Nov, Support wrote:</p><blockquote><p>Dear Mr Hartley,</p><p>We have changed the address on your account. New invoices will carry it from today.</p></blockquote>';

export const stories: Story[] = [
  {
    name: "Marieke van den Berg",
    address: "marieke@vandenberg-interieur.example",
    subject: "Levering eettafel: datum schuift nu voor de tweede keer op",
    lines: [
      {
        from: "them",
        text: "Goedemorgen,\n\nVanochtend kreeg ik bericht dat de eettafel (bestelling 48213) niet op 24 november komt maar op 8 december. Dat is de tweede keer dat de datum verschuift. Wij hebben op 29 november vijftien gasten en onze oude tafel is al opgehaald.\n\nKunt u nagaan of hij toch eerder kan komen, of een tafel te leen aanbieden?\n\nMet vriendelijke groet,\nMarieke van den Berg",
        files: [["orderbevestiging-48213.pdf", "application/pdf", 184_220]],
      },
      {
        from: "note",
        text: "Magazijn gebeld: de bladen zijn binnen, alleen het onderstel komt uit Aalst en is 26 november hier. Leentafel staat in Zwolle, 220 × 100.",
      },
      {
        from: "us",
        text: "Beste mevrouw Van den Berg,\n\nDat de datum voor de tweede keer verschuift, is heel vervelend, zeker met uw etentje op de 29e.\n\nHet blad van uw tafel is binnen; het onderstel komt 26 november bij ons aan. Wij leveren de tafel op 27 november tussen 9.00 en 12.00 uur. Past dat niet, dan brengen wij op 28 november kosteloos een leentafel.\n\nLaat u mij weten wat u het liefst heeft?\n\nMet vriendelijke groet,\nSanne de Wit",
      },
      {
        from: "them",
        text: "Beste Sanne,\n\nDank u wel, dat is een opluchting. De 27e tussen 9.00 en 12.00 uur is prima, ik ben thuis. Kunnen de monteurs de verpakking weer meenemen?\n\nGroet,\nMarieke\n\nOp do 20 nov. 2026 om 16:41 schreef Klantenservice:\n> Beste mevrouw Van den Berg,\n>\n> Dat de datum voor de tweede keer verschuift, is heel vervelend, zeker met\n> uw etentje op de 29e.\n>\n> Het blad van uw tafel is binnen; het onderstel komt 26 november bij ons aan.",
      },
    ],
  },
  {
    name: "Oliver Hartley",
    address: "oliver@hartley-moss.example",
    subject: "Wrong address on invoice 2026-0871",
    lines: [
      {
        from: "them",
        text: "Hello,\n\nInvoice 2026-0871 was made out to our old address in Leeds. We moved to York in September. Could you change it?\n\nOliver Hartley",
      },
      {
        from: "us",
        text: "Dear Mr Hartley,\n\nWe have changed the address on your account. New invoices will carry it from today.\n\nKind regards,\nSanne de Wit",
      },
      {
        from: "them",
        text: "Hi,\n\nThat worked, thank you. One more question: the second invoice still shows the old address. Could you correct it and send me a new copy?\n\nKind regards,\nOliver Hartley",
        html: quotedHtml,
        files: [["invoice-2026-0871.pdf", "application/pdf", 96_400]],
      },
    ],
  },
  {
    name: "Fenna Terpstra",
    address: "f.terpstra@hoeve-terpstra.example",
    subject: "Retour R-2231: één trui ontbreekt",
    lines: [
      {
        from: "them",
        text: "Klopt dit? Ik heb twee truien teruggestuurd en zie er maar één.",
        html: banner,
        files: [["verzendbewijs.jpg", "image/jpeg", 1_284_000]],
      },
    ],
  },
  {
    name: "Yusuf Demir",
    address: "yusuf.demir@bakkerijdemir.example",
    subject: "Storing pinautomaat filiaal Hengelo",
    lines: [
      {
        from: "them",
        text: "Goedemiddag,\n\nSinds 11.20 uur geeft de pinautomaat in ons filiaal in Hengelo ‘geen verbinding’. Herstarten helpt niet. Kunt u meekijken? Wij kunnen nu alleen contant afrekenen.\n\nYusuf Demir\n074 555 01 23",
      },
      { from: "auto", text: "Wij hebben uw bericht ontvangen onder nummer 1043. U hoort vandaag van ons." },
    ],
  },
  {
    name: "Imogen Clarke",
    address: "imogen@saltmarsh-books.example",
    subject: "Bulk order for a reading group: 24 copies",
    lines: [
      {
        from: "them",
        text: "Dear team,\n\nOur reading group would like 24 copies of the same title by the middle of January. Is there a discount at that number, and can you invoice the library?\n\nBest wishes,\nImogen Clarke",
      },
    ],
  },
  {
    name: "Stichting De Waterlelie",
    address: "administratie@dewaterlelie.example",
    subject: "Machtiging automatische incasso wijzigen",
    sender: "fetched",
    lines: [
      {
        from: "them",
        text: "Geachte heer, mevrouw,\n\nPer 1 januari wijzigt onze rekening. Welk formulier heeft u nodig om de machtiging aan te passen?\n\nMet vriendelijke groet,\nadministratie",
      },
      {
        from: "us",
        text: "Geachte heer of mevrouw,\n\nBijgaand vindt u het formulier. Wilt u het ondertekend terugsturen vóór 15 december?\n\nMet vriendelijke groet,\nDaan Vermeulen",
        files: [["machtiging.pdf", "application/pdf", 64_000]],
      },
    ],
  },
  {
    name: "Joris Klaassen",
    address: "joris.klaassen@fietsfabriek.example",
    subject: "Offerte 12 leasefietsen",
    lines: [
      {
        from: "them",
        text: "Hallo,\n\nIn de offerte staat 36 maanden, wij hadden 48 afgesproken met uw collega. Wilt u een nieuwe sturen?\n\nJoris",
      },
    ],
  },
  {
    name: "Aoife Byrne",
    address: "aoife.byrne@kestrel-travel.example",
    subject: "Refund for cancelled workshop",
    lines: [
      {
        from: "them",
        text: "Hello, the workshop on 3 November was cancelled and I was told the refund would take ten days. It has been eighteen. Could you check?\n\nThanks, Aoife",
      },
      { from: "us", text: "Dear Ms Byrne,\n\nThe refund left our account this morning. It should reach you within two working days.\n\nKind regards,\nDaan Vermeulen" },
    ],
  },
  {
    name: "",
    address: "noreply@pakketpunt.example",
    subject: "Zending 3SBEL0021 niet afgehaald",
    lines: [{ from: "them", text: "De zending 3SBEL0021 ligt zeven dagen bij het afhaalpunt en wordt morgen teruggestuurd naar de afzender." }],
  },
  {
    name: "Noor El Amrani",
    address: "noor@studio-elamrani.example",
    subject: "Kan ik mijn abonnement per maand opzeggen?",
    sender: "unknown",
    lines: [{ from: "them", text: "Hoi,\n\nIk zie op uw site alleen een jaarabonnement. Kan het ook per maand, en wat kost dat dan?\n\nNoor" }],
  },
  {
    name: "Pieter-Jan Hoogendoorn-Vlaardingerbroek",
    address: "pj.hoogendoorn-vlaardingerbroek@waterschap-drieplassen.example",
    subject: "Aanvraag verwerkersovereenkomst en lijst van subverwerkers ten behoeve van onze jaarlijkse controle",
    lines: [{ from: "them", text: "Geachte heer, mevrouw,\n\nVoor onze jaarlijkse controle ontvangen wij graag de geldende verwerkersovereenkomst en de lijst van subverwerkers.\n\nHoogachtend,\nP.J. Hoogendoorn-Vlaardingerbroek" }],
  },
  {
    name: "Grace Whitfield",
    address: "grace@whitfield-physio.example",
    subject: "Appointment link does not open",
    lines: [{ from: "them", text: "Good morning,\n\nThe link in my confirmation opens an empty page on my phone. On my laptop it works. Is this known?\n\nGrace" }],
  },
  {
    name: "Marieke van den Berg",
    address: "marieke@vandenberg-interieur.example",
    subject: "Nieuw rekeningnummer voor uw terugbetaling",
    sender: "forged",
    lines: [
      {
        from: "them",
        text: "Goedemiddag,\n\nOnze bankrekening is gewijzigd. Wilt u de aanbetaling van bestelling 48213 vandaag nog terugstorten op de rekening in dit formulier?\n\nhttps://formulier.betaal-hier.example/48213\n\nMarieke van den Berg",
      },
    ],
  },
  {
    name: "דנה לוי",
    address: "dana@levy-studio.example",
    subject: "Overleg over de inrichting, en stukken van de notaris",
    lines: [
      {
        from: "them",
        text: "Goedemiddag,\n\nSchikt dinsdag 1 december om tien uur? De uitnodiging zit erbij.\n\nDana",
        files: [["invite.ics", "text/calendar", 1_180]],
        more: {
          invitation: {
            method: "request",
            summary: "Overleg inrichting begane grond",
            location: "Kade 3, Leeuwarden",
            starts: { at: "2026-12-01T09:00:00.000Z" },
            ends: { at: "2026-12-01T10:30:00.000Z" },
            recurs: false,
            more: 0,
            organiser: { name: "דנה לוי", address: "dana@levy-studio.example" },
          },
        },
      },
      {
        from: "them",
        text: "Toch een ander moment, excuses. Deze gaat niet door.\n\nDana\n\nVerzonden vanaf mijn iPhone",
        files: [["invite.ics", "text/calendar", 1_090]],
        more: {
          signature_from: 59,
          invitation: {
            method: "cancel",
            summary: "Overleg inrichting begane grond",
            starts: { at: "2026-12-01T09:00:00.000Z" },
            recurs: false,
            more: 0,
            organiser: { name: "דנה לוי", address: "dana@levy-studio.example" },
          },
        },
      },
      { from: "them", text: "", files: [["smime.p7m", "application/pkcs7-mime", 18_400]], more: { cover: "smime_encrypted" } },
      {
        from: "them",
        text: "Hierbij de stukken, ondertekend door de notaris.",
        files: [["winmail.dat", "application/ms-tnef", 64_100], ["smime.p7s", "application/pkcs7-signature", 4_200]],
        more: { cover: "smime_signed" },
      },
    ],
  },
];

export const fillers: [string, string, string][] = [
  ["Bram Oosterhuis", "Handleiding warmtepomp WP-9", "Zit er bij de WP-9 ook een papieren handleiding? Ik kan hem niet vinden in de doos."],
  ["Lotte Schipper", "Adreswijziging", "Per 1 december verhuizen wij naar Kade 14. Wilt u dat aanpassen?"],
  ["Ewan MacLeod", "Spare parts for model C20", "Do you still stock the hinge for the C20? The left one has snapped."],
  ["Hanneke Wolters", "Vraag over garantie", "Het apparaat is van maart 2025. Valt een lekkende slang onder de garantie?"],
  ["Priya Nair", "VAT number on the receipt", "Could you send the receipt again with our VAT number on it?"],
  ["Thijs Brouwer", "Monteur niet geweest", "Er zou tussen 8 en 12 een monteur komen. Het is nu half twee en er is niemand geweest."],
  ["Charlotte Dubois", "Change of delivery day", "Could the delivery be moved from Tuesday to Thursday? Nobody is home on Tuesday."],
  ["Ruben Hendriks", "Dubbel afgeschreven", "Op 3 november is twee keer € 49,95 afgeschreven. Wilt u één keer terugboeken?"],
];
