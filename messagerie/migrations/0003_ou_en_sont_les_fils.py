"""Where each thread stands, from its messages; the answers to demandes are about their demande."""

from django.db import migrations

INSTANTS = """
UPDATE messagerie_fil SET mairie_le = m.mairie_le, famille_le = m.famille_le
FROM (
    SELECT fil_id, max(envoye_le) FILTER (WHERE de_la_mairie) AS mairie_le,
           max(envoye_le) FILTER (WHERE NOT de_la_mairie) AS famille_le
    FROM messagerie_message GROUP BY fil_id
) AS m WHERE m.fil_id = messagerie_fil.id
"""
ETATS = """
UPDATE messagerie_fil
SET etat = CASE WHEN mairie_le IS NULL OR famille_le > mairie_le THEN 'EN_ATTENTE' ELSE 'REPONDU' END
WHERE famille_le IS NOT NULL
"""
OBJETS = """
UPDATE messagerie_fil SET contexte = 'demande/' || split_part(m.lien, '/', 3), contexte_lien = m.lien,
       contexte_libelle = split_part(sujet, chr(160) || ':', 1)
FROM messagerie_message AS m
WHERE m.fil_id = messagerie_fil.id AND m.lien ~ '^/demandes/[0-9a-f-]{36}/$'
"""


class Migration(migrations.Migration):
    dependencies = [("messagerie", "0002_conversations")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (INSTANTS, ETATS, OBJETS)]
