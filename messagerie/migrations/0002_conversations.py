import django.db.models.deletion
import django.utils.timezone
import portail.outils.chiffrement
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('familles', '0002_anciens_foyers'),
        ('messagerie', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Diffusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cle', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('sujet', models.CharField(max_length=150, verbose_name='sujet')),
                ('corps', models.TextField(verbose_name='texte')),
                ('selection', models.CharField(help_text="En mots, comme l'agent les a choisis.", max_length=200, verbose_name='destinataires')),
                ('cree_le', models.DateTimeField(default=django.utils.timezone.now, verbose_name='envoyé le')),
                ('arretee_le', models.DateTimeField(editable=False, null=True, verbose_name='arrêtée le')),
            ],
            options={
                'verbose_name': 'message groupé',
                'verbose_name_plural': 'messages groupés',
                'ordering': ['-cree_le', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='EnvoiDiffusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fait_le', models.DateTimeField(null=True, verbose_name='remis le')),
            ],
            options={
                'verbose_name': "envoi d'un message groupé",
                'verbose_name_plural': 'envois des messages groupés',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='PieceMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('nom', models.CharField(max_length=120, verbose_name='nom du fichier')),
                ('type_mime', models.CharField(max_length=40, verbose_name='type')),
                ('taille', models.PositiveIntegerField(verbose_name='taille en octets')),
                ('fichier', models.FileField(max_length=120, upload_to='')),
                ('cree_le', models.DateTimeField(auto_now_add=True, verbose_name='ajoutée le')),
            ],
            options={
                'verbose_name': "pièce d'un message",
                'verbose_name_plural': 'pièces des messages',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rythme', models.CharField(choices=[('IMMEDIAT', 'À chaque message'), ('QUOTIDIEN', 'Un résumé par jour'), ('AUCUN', 'Aucun')], default='IMMEDIAT', max_length=9, verbose_name='courriels reçus')),
                ('resume_le', models.DateTimeField(editable=False, null=True, verbose_name='dernier résumé envoyé le')),
            ],
            options={
                'verbose_name': 'choix des courriels',
                'verbose_name_plural': 'choix des courriels',
            },
        ),
        migrations.CreateModel(
            name='Rangement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('supprime_le', models.DateTimeField(default=django.utils.timezone.now, verbose_name='supprimé le')),
            ],
            options={
                'verbose_name': 'fil supprimé',
                'verbose_name_plural': 'fils supprimés',
            },
        ),
        migrations.CreateModel(
            name='ReponseType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('libelle', models.CharField(max_length=80, verbose_name='nom court')),
                ('texte', models.TextField(verbose_name='texte proposé')),
            ],
            options={
                'verbose_name': 'réponse toute prête',
                'verbose_name_plural': 'réponses toutes prêtes',
                'ordering': ['service', 'libelle', 'pk'],
            },
        ),
        migrations.AlterModelOptions(
            name='fil',
            options={'ordering': ['-dernier_le', '-pk'], 'permissions': [('repondre_fil', 'Peut écrire aux familles')], 'verbose_name': 'échange avec une famille', 'verbose_name_plural': 'messages des familles'},
        ),
        migrations.AddField(
            model_name='courriel',
            name='desabonnement',
            field=portail.outils.chiffrement.TexteChiffre(blank=True, verbose_name='adresse de désabonnement'),
        ),
        migrations.AddField(
            model_name='courriel',
            name='repondre_a',
            field=models.CharField(blank=True, max_length=200, verbose_name='répondre à'),
        ),
        migrations.AddField(
            model_name='fil',
            name='affecte_a',
            field=models.ForeignKey(blank=True, limit_choices_to={'is_active': True, 'is_staff': True}, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confié à'),
        ),
        migrations.AddField(
            model_name='fil',
            name='contexte',
            field=models.CharField(blank=True, editable=False, max_length=60, verbose_name='objet'),
        ),
        migrations.AddField(
            model_name='fil',
            name='contexte_libelle',
            field=models.CharField(blank=True, editable=False, max_length=150, verbose_name='à propos de'),
        ),
        migrations.AddField(
            model_name='fil',
            name='contexte_lien',
            field=models.CharField(blank=True, editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name='fil',
            name='etat',
            field=models.CharField(choices=[('INFORMATION', 'Information'), ('EN_ATTENTE', 'En attente de réponse'), ('REPONDU', 'Répondu'), ('CLOS', 'Clos')], default='INFORMATION', max_length=11, verbose_name='état'),
        ),
        migrations.AddField(
            model_name='fil',
            name='famille_le',
            field=models.DateTimeField(editable=False, null=True, verbose_name='dernier message de la famille le'),
        ),
        migrations.AddField(
            model_name='fil',
            name='lu_mairie_le',
            field=models.DateTimeField(editable=False, null=True, verbose_name='ouvert par la mairie le'),
        ),
        migrations.AddField(
            model_name='fil',
            name='lu_mairie_par',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='fil',
            name='mairie_le',
            field=models.DateTimeField(editable=False, null=True, verbose_name='dernier message de la mairie le'),
        ),
        migrations.AddField(
            model_name='message',
            name='cle',
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AddField(
            model_name='servicemairie',
            name='agents',
            field=models.ManyToManyField(blank=True, help_text='Ils lisent ses messages et y répondent. Personne\xa0: tous les agents qui ont accès aux messages.', limit_choices_to={'is_active': True, 'is_staff': True}, related_name='services_mairie', to=settings.AUTH_USER_MODEL, verbose_name='agents'),
        ),
        migrations.AddField(
            model_name='servicemairie',
            name='ordre',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='ordre dans la liste des familles'),
        ),
        migrations.AddField(
            model_name='servicemairie',
            name='recoit_messages',
            field=models.BooleanField(default=True, verbose_name='les familles peuvent lui écrire'),
        ),
        migrations.AlterField(
            model_name='servicemairie',
            name='rythme',
            field=models.CharField(choices=[('IMMEDIAT', 'À chaque fois'), ('QUOTIDIEN', 'Une fois par jour'), ('JAMAIS', 'Jamais')], default='IMMEDIAT', max_length=9, verbose_name='prévenir des nouvelles demandes et des nouveaux messages'),
        ),
        # A default is drawn once for all the rows that exist: each message needs its own.
        migrations.RunSQL("UPDATE messagerie_message SET cle = gen_random_uuid()", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('auteur', 'cle'), name='message_ecrit_une_fois'),
        ),
        migrations.AddField(
            model_name='diffusion',
            name='par',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='envoyé par'),
        ),
        migrations.AddField(
            model_name='diffusion',
            name='service',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='diffusions', to='messagerie.servicemairie', verbose_name='service'),
        ),
        migrations.AddField(
            model_name='fil',
            name='diffusion',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='fils', to='messagerie.diffusion'),
        ),
        migrations.AddIndex(
            model_name='fil',
            index=models.Index(condition=models.Q(('etat', 'EN_ATTENTE')), fields=['famille_le'], name='fils_en_attente'),
        ),
        migrations.AddIndex(
            model_name='fil',
            index=models.Index(condition=models.Q(('contexte', ''), _negated=True), fields=['contexte'], name='fils_par_objet'),
        ),
        migrations.AddField(
            model_name='envoidiffusion',
            name='adulte',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='familles.responsable', verbose_name='seul destinataire'),
        ),
        migrations.AddField(
            model_name='envoidiffusion',
            name='diffusion',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='envois', to='messagerie.diffusion'),
        ),
        migrations.AddField(
            model_name='envoidiffusion',
            name='famille',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='familles.famille'),
        ),
        migrations.AddField(
            model_name='piecemessage',
            name='diffusion',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='messagerie.diffusion'),
        ),
        migrations.AddField(
            model_name='piecemessage',
            name='message',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='messagerie.message'),
        ),
        migrations.AddField(
            model_name='preference',
            name='adulte',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='preference_courriels', to='familles.responsable'),
        ),
        migrations.AddField(
            model_name='rangement',
            name='adulte',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='familles.responsable'),
        ),
        migrations.AddField(
            model_name='rangement',
            name='fil',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rangements', to='messagerie.fil'),
        ),
        migrations.AddField(
            model_name='reponsetype',
            name='service',
            field=models.ForeignKey(blank=True, help_text='Vide\xa0: proposée à tous les services.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reponses_types', to='messagerie.servicemairie'),
        ),
        migrations.AddIndex(
            model_name='envoidiffusion',
            index=models.Index(condition=models.Q(('fait_le', None)), fields=['id'], name='envois_a_faire'),
        ),
        migrations.AddConstraint(
            model_name='envoidiffusion',
            constraint=models.UniqueConstraint(fields=('diffusion', 'famille', 'adulte'), name='un_envoi_par_foyer', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='piecemessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('diffusion', None), ('message__isnull', False)), models.Q(('diffusion__isnull', False), ('message', None)), _connector='OR'), name='piece_d_un_message_ou_d_une_diffusion'),
        ),
        migrations.AddConstraint(
            model_name='rangement',
            constraint=models.UniqueConstraint(fields=('fil', 'adulte'), name='supprime_une_fois'),
        ),
    ]
